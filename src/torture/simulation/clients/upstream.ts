/**
 * As `src/client/upstream.ts` and `link.ts`: the one connection to a server, opened on demand and again after its end, what waits for
 * it, and the watch over everybody's deadline.
 */
import { ClientClosedError, ServerUnavailableError, type Session } from '../../../client/index.js'
import { Backoff } from '../../../time/index.js'
import type { Machine } from '../machine.js'
import type { Network } from '../network.js'
import type { Host } from '../servers/host.js'
import { Connection, STALL_MS } from './connection.js'
import type { Exchange } from './exchange.js'

const NEVER = Number.POSITIVE_INFINITY
/** As the client's defaults. */
const RECONNECT_LEAST_MS = 50
const RECONNECT_MOST_MS = 1000

/** What all connections of a participant are made with. */
export interface Site {
  readonly network: Network
  readonly machine: Machine
  random(): number
  /** Of a connection. */
  nextId(): number
  /** Connects when there is something to send, and only then, as simple clients do. Default: as ours, that keeps its connection. */
  readonly simple?: boolean
}

export class Upstream {
  readonly host: Host
  readonly #site: Site
  readonly #backoff: Backoff
  readonly #waiting = new Set<Exchange>()
  #state: 'idle' | 'connecting' | 'ready' | 'down' = 'idle'
  #connection: Connection | undefined
  #lastError: Error | undefined
  #readyAt = 0
  #closed = false
  #cancelTimer = () => {}
  #cancelWatch = () => {}
  #watchAt = NEVER

  constructor(site: Site, host: Host) {
    this.#site = site
    this.host = host
    this.#backoff = new Backoff(RECONNECT_LEAST_MS, RECONNECT_MOST_MS, () => site.random())
  }

  get currentSession(): Session | undefined {
    return this.#state === 'ready' ? this.#connection!.session : undefined
  }

  submit(exchange: Exchange): void {
    if (exchange.settled) return
    if (this.#closed) {
      exchange.fail(new ClientClosedError())
      return
    }
    if (this.#state !== 'ready') {
      if (this.#state === 'idle') this.#open()
      if (this.#isFailing) {
        exchange.fail(this.#unavailable())
        return
      }
    }
    if (exchange.deadlineAt < this.#watchAt) this.#watchUntil(exchange.deadlineAt)
    if (this.#state === 'ready') this.#connection!.send(exchange)
    else this.#waiting.add(exchange)
  }

  /** Waits for what is under way, then ends the connection. */
  async close(): Promise<void> {
    this.#closed = true
    const waiting = Array.from(this.#waiting, ({ promise }) => promise)
    await Promise.allSettled([...waiting, ...(this.#state === 'ready' ? this.#connection!.results() : [])])
    this.#cancelWatch()
    this.#endAll(new ClientClosedError())
  }

  /** As `close`, but the server is told at once that nothing more will come. */
  async hangUp(): Promise<void> {
    this.#closed = true
    this.#failWaiting(() => new ClientClosedError())
    this.#cancelTimer()
    if (this.#state === 'ready') this.#connection!.hangUp()
    else this.#connection?.destroy(new ClientClosedError())
    const reason = new Error(`the server has not hung up within ${STALL_MS} ms`)
    const cancel = this.#site.machine.timer(STALL_MS, () => this.#endAll(reason))
    await this.close().finally(cancel)
  }

  /** The last try failed, and no later one has succeeded. */
  get #isFailing(): boolean {
    return this.#lastError !== undefined && this.#state !== 'ready'
  }

  #open(): void {
    const { network, machine } = this.#site
    this.#state = 'connecting'
    const connection = new Connection(network, machine, this.host, this.#site.nextId(), {
      ready: () => this.#onReady(),
      closed: (reason) => this.#onClosed(reason),
    })
    this.#connection = connection
    this.#cancelTimer = machine.timer(STALL_MS, () => {
      connection.destroy(new Error(`no connection within ${STALL_MS} ms`))
    })
  }

  #onReady(): void {
    this.#cancelTimer()
    this.#state = 'ready'
    this.#lastError = undefined
    this.#readyAt = this.#site.machine.monotonicMs()
    for (const exchange of this.#waiting) {
      this.#waiting.delete(exchange)
      if (!exchange.settled) this.#connection!.send(exchange)
    }
  }

  #onClosed(reason: Error): void {
    this.#cancelTimer()
    const upMs = this.#site.machine.monotonicMs() - this.#readyAt
    const wasGood = this.#state === 'ready' && upMs > RECONNECT_LEAST_MS
    this.#connection = undefined
    this.#state = 'down'
    if (this.#closed) return
    if (this.#site.simple) {
      this.#state = 'idle'
      this.#failWaiting(() => new ServerUnavailableError(this.host.name, { cause: reason }))
      return
    }
    if (wasGood) {
      this.#backoff.reset()
      this.#open()
      return
    }
    this.#lastError = reason
    this.#cancelTimer = this.#site.machine.timer(this.#backoff.next(), () => this.#open())
    this.#failWaiting(() => this.#unavailable())
  }

  #endAll(reason: Error): void {
    this.#cancelTimer()
    this.#connection?.destroy(reason)
  }

  #failWaiting(error: () => Error): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const exchange of waiting) exchange.fail(error())
  }

  #unavailable(): Error {
    return new ServerUnavailableError(this.host.name, { cause: this.#lastError })
  }

  #watchUntil(at: number): void {
    this.#cancelWatch()
    this.#watchAt = at
    const { machine } = this.#site
    const ms = Math.ceil(at - machine.monotonicMs())
    // A reply may be there, unread: the sockets have their turn first.
    this.#cancelWatch = machine.timer(ms, () => machine.soon(() => this.#expire()))
  }

  #expire(): void {
    this.#watchAt = NEVER
    const now = this.#site.machine.monotonicMs()
    const next = Math.min(this.#expireWaiting(now), this.#connection?.expire(now) ?? NEVER)
    if (next !== NEVER) this.#watchUntil(next)
  }

  #expireWaiting(now: number): number {
    let next = NEVER
    for (const exchange of [...this.#waiting]) {
      exchange.expire(now, this.host.name, this.#lastError)
      if (exchange.settled) this.#waiting.delete(exchange)
      else next = Math.min(next, exchange.deadlineAt)
    }
    return next
  }
}
