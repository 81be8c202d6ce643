/**
 * One connection kept alive: opened on demand, and after its end opened again, at once when it was good, else after a
 * pause. The pause is drawn between the shortest and three times the last one, so that clients do not come in step.
 */
import { performance } from 'node:perf_hooks'
import type { Address } from './address.js'
import { type AnyExchange, Connection } from './connection.js'
import { channels, publish } from './diagnostics.js'
import type { LinkSettings } from './settings.js'

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
  #pauseMs = 0
  #attempt = 0
  #readyAt = 0
  /** Of the pause, or of the try to connect. */
  #timer: NodeJS.Timeout | undefined

  constructor(address: Address, settings: LinkSettings, events: LinkEvents) {
    this.#address = address
    this.#settings = settings
    this.#events = events
  }

  get pending(): number {
    return this.#connection?.pending.length ?? 0
  }

  /** Results of what callers wait for; a handshake is nobody's. */
  results(): Promise<unknown>[] {
    if (this.state !== 'ready') return []
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
    if (this.#attempt > 1) publish(channels.reconnect, () => ({ server: name, attempt: this.#attempt }))
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
    this.#readyAt = performance.now()
    this.#attempt = 0
    publish(channels.connect, () => ({ server: this.#address.name, version: this.#connection!.features.version }))
    this.#events.ready(this)
  }

  #onClosed(reason: Error): void {
    clearTimeout(this.#timer)
    const wasGood = this.state === 'ready' && performance.now() - this.#readyAt > this.#settings.reconnectMinMs
    this.#connection = undefined
    publish(channels.disconnect, () => ({ server: this.#address.name, error: reason }))
    if (this.state === 'closed') return
    this.lastError = reason
    if (wasGood) {
      this.#pauseMs = 0
      this.open()
    } else {
      this.state = 'down'
      this.#pause()
      this.#events.down(this)
    }
  }

  /** Decorrelated jitter, as in Marc Brooker's "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015). */
  #pause(): void {
    const { reconnectMinMs: least, reconnectMaxMs: most } = this.#settings
    const upTo = Math.max(least, this.#pauseMs * 3)
    this.#pauseMs = Math.min(most, least + Math.random() * (upTo - least))
    // An idle process need not stay for it; a waiting call keeps the process by its deadline.
    this.#timer = setTimeout(() => this.open(), this.#pauseMs).unref()
  }
}
