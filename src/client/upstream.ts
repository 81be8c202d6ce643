/** One server: its connections, what waits for them, and the watch over everybody's deadline. */
import { performance } from 'node:perf_hooks'
import type { Address } from './address.js'
import type { AnyExchange } from './connection.js'
import { AuthenticationError, ClientClosedError, OverloadedError, ServerUnavailableError } from './errors.js'
import { Link } from './link.js'
import { Queue } from './queue.js'
import { type LinkSettings, LONGEST_TIMER_MS } from './settings.js'
import type { Session } from './types.js'

/** No timer is set. */
const NEVER = Number.POSITIVE_INFINITY

export class Upstream {
  readonly name: string
  readonly #settings: LinkSettings
  readonly #links: Link[]
  /** For a connection to become ready. */
  readonly #waiting = new Queue<AnyExchange>()
  #closed = false
  #watch: NodeJS.Timeout | undefined
  #watchAt = NEVER

  constructor(address: Address, settings: LinkSettings) {
    this.name = address.name
    this.#settings = settings
    const events = { ready: (link: Link) => this.#onReady(link), down: () => this.#onDown() }
    this.#links = Array.from({ length: settings.connections }, () => new Link(address, settings, events))
  }

  /** Sends it, lets it wait for the connection, or fails it. */
  submit(exchange: AnyExchange): void {
    if (exchange.settled) return
    const link = this.#linkOf(exchange.session) ?? this.#leastBusy()
    const refusal = this.#refusal(link)
    if (refusal !== undefined) {
      exchange.fail(refusal)
      return
    }
    if (exchange.deadlineAt < this.#watchAt) this.#watchUntil(exchange.deadlineAt)
    if (link === undefined) this.#waiting.push(exchange)
    else link.send(exchange)
  }

  /** Why a request cannot be taken now. Without a connection, this also starts the first try. */
  #refusal(link: Link | undefined): Error | undefined {
    if (this.#closed) return new ClientClosedError()
    if (this.#pending() >= this.#settings.maxPending) {
      // Those who have given up are not in the way.
      this.#expireWaiting(performance.now())
      const pending = this.#pending()
      if (pending >= this.#settings.maxPending) return new OverloadedError(this.name, pending)
    }
    if (link !== undefined) return undefined
    this.#wake()
    return this.#isDown() && !this.#settings.waitWhenDown ? this.#unavailable() : undefined
  }

  /** Waits for what is under way, then ends the connections. New calls are refused from now on. */
  async close(): Promise<void> {
    this.#closed = true
    const waiting = Array.from(this.#waiting, (exchange) => exchange.promise)
    await Promise.allSettled([...waiting, ...this.#links.flatMap((link) => link.results())])
    clearTimeout(this.#watch)
    for (const link of this.#links) link.close(new ClientClosedError())
  }

  /** As `close`, but the servers are told at once that nothing more will come, and so need not go on. */
  async hangUp(): Promise<void> {
    this.#closed = true
    for (const exchange of this.#waiting.drain()) exchange.fail(new ClientClosedError())
    for (const link of this.#links) link.hangUp()
    // A server that does not end the connection either, such as one that hangs, is not waited for.
    const { stallMs } = this.#settings
    const enough = setTimeout(() => {
      for (const link of this.#links) link.close(new Error(`the server has not hung up within ${stallMs} ms`))
    }, stallMs)
    await this.close().finally(() => clearTimeout(enough))
  }

  /** Of the connection that a request would go out on now. */
  get currentSession(): Session | undefined {
    return this.#leastBusy()?.session
  }

  #linkOf(session: Session | undefined): Link | undefined {
    if (session === undefined) return undefined
    return this.#links.find((link) => link.state === 'ready' && link.session?.id === session.id)
  }

  #leastBusy(): Link | undefined {
    let best: Link | undefined
    for (const link of this.#links) {
      if (link.state === 'ready' && (best === undefined || link.pending < best.pending)) best = link
    }
    return best
  }

  #pending(): number {
    let pending = this.#waiting.length
    for (const link of this.#links) pending += link.pending
    return pending
  }

  #wake(): void {
    for (const link of this.#links) if (link.state === 'idle') link.open()
  }

  #isDown(): boolean {
    return this.#links.every((link) => link.failing)
  }

  #onReady(link: Link): void {
    for (let exchange = this.#waiting.shift(); exchange !== undefined; exchange = this.#waiting.shift()) {
      if (!exchange.settled) link.send(exchange)
    }
  }

  #onDown(): void {
    if (this.#settings.waitWhenDown || !this.#isDown()) return
    for (const exchange of this.#waiting.drain()) exchange.fail(this.#unavailable())
  }

  #unavailable(): Error {
    const cause = this.#lastError()
    return cause instanceof AuthenticationError ? cause : new ServerUnavailableError(this.name, { cause })
  }

  #lastError(): Error | undefined {
    return this.#links.find((link) => link.failing)?.lastError
  }

  /** One timer for all: it stands at the earliest deadline there was, and looks for the next when it has come. */
  #watchUntil(at: number): void {
    clearTimeout(this.#watch)
    this.#watchAt = at
    const delay = Math.min(Math.max(0, Math.ceil(at - performance.now())), LONGEST_TIMER_MS)
    // When the thread was busy beyond the deadline, the reply may be there, unread: the sockets have their turn first.
    this.#watch = setTimeout(() => setImmediate(() => this.#expire()), delay)
  }

  #expire(): void {
    this.#watch = undefined
    this.#watchAt = NEVER
    const now = performance.now()
    let next = this.#expireWaiting(now)
    for (const link of this.#links) next = Math.min(next, link.expire(now))
    if (next !== NEVER) this.#watchUntil(next)
  }

  #expireWaiting(now: number): number {
    let next = NEVER
    const cause = this.#lastError()
    for (const exchange of this.#waiting.drain()) {
      exchange.expire(now, this.name, cause)
      if (exchange.settled) continue
      this.#waiting.push(exchange)
      next = Math.min(next, exchange.deadlineAt)
    }
    return next
  }
}
