/**
 * One connection kept alive: opened on demand, and after its end opened again, at once when it was good, else after a
 * pause.
 */
import { performance } from 'node:perf_hooks'
import { Backoff } from '../time/index.js'
import type { Address } from './address.js'
import { type AnyExchange, Connection } from './connection.js'
import { channels, publish } from './diagnostics.js'
import { ClientClosedError } from './errors.js'
import type { LinkSettings } from './settings.js'
import type { Session } from './types.js'

/** `idle`: never asked for. `down`: the last try failed, the next comes after a pause. */
export type LinkState = 'idle' | 'connecting' | 'ready' | 'down' | 'closed'

export interface LinkEvents {
  ready(link: Link): void
  /** A try to connect failed. */
  down(link: Link): void
}

export class Link {
  state: LinkState = 'idle'
  /** Why it is down. */
  lastError: Error | undefined
  readonly #address: Address
  readonly #settings: LinkSettings
  readonly #events: LinkEvents
  #connection: Connection | undefined
  readonly #backoff: Backoff
  /** Tries since the last connection that was good; the first of all is 0. */
  #attempt = -1
  #isOpen = false
  #readyAt = 0
  /** Of the pause, or of the try to connect. */
  #timer: NodeJS.Timeout | undefined

  constructor(address: Address, settings: LinkSettings, events: LinkEvents) {
    this.#address = address
    this.#settings = settings
    this.#events = events
    this.#backoff = new Backoff(settings.reconnectMinMs, settings.reconnectMaxMs)
  }

  /** The last try failed, and no later one has succeeded. */
  get failing(): boolean {
    return this.lastError !== undefined && this.state !== 'ready'
  }

  /** Of the connection there is now. */
  get session(): Session | undefined {
    return this.#connection?.session
  }

  get pending(): number {
    return this.#connection?.pending.length ?? 0
  }

  /** Results of what callers wait for; a handshake is nobody's. */
  results(): Promise<unknown>[] {
    if (!this.#isOpen) return []
    return Array.from(this.#connection!.pending, (exchange) => exchange.promise)
  }

  send(exchange: AnyExchange): void {
    this.#connection!.send(exchange)
  }

  expire(now: number): number {
    return this.#connection?.expire(now) ?? Number.POSITIVE_INFINITY
  }

  open(): void {
    this.state = 'connecting'
    this.#attempt++
    const { name } = this.#address
    if (this.#attempt > 0) publish(channels.reconnect, () => ({ server: name, attempt: this.#attempt }))
    try {
      this.#connection = new Connection(this.#address, this.#settings, {
        ready: () => this.#onReady(),
        closed: (reason) => this.#onClosed(reason),
      })
    } catch (error) {
      // Options of TLS that it cannot work with.
      this.#onClosed(error as Error)
      return
    }
    const { stallMs } = this.#settings
    this.#timer = setTimeout(() => {
      this.#connection!.destroy(new Error(`no connection within ${stallMs} ms`))
    }, stallMs)
  }

  /** Lets the server end it, for good: what is under way may still be answered. */
  hangUp(): void {
    this.state = 'closed'
    clearTimeout(this.#timer)
    if (this.#isOpen) this.#connection!.hangUp()
    else this.#connection?.destroy(new ClientClosedError())
  }

  /** Ends it for good. */
  close(reason: Error): void {
    this.state = 'closed'
    clearTimeout(this.#timer)
    this.#connection?.destroy(reason)
  }

  #onReady(): void {
    clearTimeout(this.#timer)
    this.state = 'ready'
    this.lastError = undefined
    this.#isOpen = true
    this.#readyAt = performance.now()
    this.#attempt = 0
    publish(channels.connect, () => ({ server: this.#address.name, version: this.#connection!.session.version }))
    this.#events.ready(this)
  }

  #onClosed(reason: Error): void {
    clearTimeout(this.#timer)
    const wasGood = this.state === 'ready' && performance.now() - this.#readyAt > this.#settings.reconnectMinMs
    this.#connection = undefined
    if (this.#isOpen) publish(channels.disconnect, () => ({ server: this.#address.name, error: reason }))
    this.#isOpen = false
    if (this.state === 'closed') return
    if (wasGood) {
      this.#backoff.reset()
      this.open()
    } else {
      this.lastError = reason
      this.state = 'down'
      this.#pause()
      this.#events.down(this)
    }
  }

  #pause(): void {
    // An idle process need not stay for it; a waiting call keeps the process by its deadline.
    this.#timer = setTimeout(() => this.open(), this.#backoff.next()).unref()
  }
}
