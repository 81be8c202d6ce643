/**
 * Stock memcached. Its clock ticks once a second, and a little less often than that: a life of n seconds lasts n − 1 to n of them. Tokens
 * begin with 1 in every process. What it cannot store for want of memory it deletes, if there is something under that key, whatever
 * the mode and the token: so says 1.6.18. Who was stopped may answer before its clock has ticked again, and what it stores then
 * counts from before.
 */
import type { VirtualTime } from '../virtual-time.js'
import { type Item, ModelServer, type Note } from './model-server.js'
import { type Answer, flagOf, type Request } from './request.js'

const TICK_MS = 1000.4
/** What its `uptime` says in its first moment. */
const FIRST_UPTIME = 2

export interface MemcachedOptions {
  /** Unix time, by the clock of its machine, when the process starts. */
  readonly startedAtS: number
  /** How long it has been running already. */
  readonly uptimeS: number
  /** From now to its next tick. */
  readonly phaseMs: number
  /** What the last tick was late by, of the second that it counted. */
  readonly lateMs: number
  readonly pid: number
}

export class Memcached extends ModelServer {
  readonly version = '1.6.18'
  readonly #options: MemcachedOptions
  readonly #beganAt: number
  #token = 0n
  /** Seconds, as of its last tick. */
  #clock: number
  #cancelTick = () => {}

  constructor(time: VirtualTime, note: Note, options: MemcachedOptions) {
    super(time, note)
    this.#options = options
    this.#clock = options.uptimeS + FIRST_UPTIME
    this.#beganAt = time.now() + options.phaseMs - TICK_MS - options.lateMs
    this.#tickIn(options.phaseMs)
  }

  override resume(lagMs: number): void {
    this.#tickIn(lagMs)
  }

  halt(): void {
    this.#cancelTick()
  }

  stop(): void {
    this.#cancelTick()
  }

  stats(): Record<string, string> {
    const { pid, startedAtS } = this.#options
    const time = startedAtS + this.#clock - FIRST_UPTIME
    return { pid: `${pid}`, uptime: `${this.#clock}`, time: `${time}`, version: this.version }
  }

  protected nextToken(): bigint {
    return ++this.#token
  }

  protected endOf(flags: readonly string[]): number {
    const seconds = Number(flagOf(flags, 'T') ?? 0)
    if (seconds === 0) return Number.POSITIVE_INFINITY
    return seconds < 0 ? Number.NEGATIVE_INFINITY : this.#clock + seconds
  }

  protected leftOf(_letter: string, { end }: Item): number {
    return end === Number.POSITIVE_INFINITY ? -1 : end - this.#clock
  }

  protected override find(key: string): Item | undefined {
    const item = this.items.get(key)
    if (item === undefined || item.end > this.#clock) return item
    this.drop('expire', key, item, undefined)
    return undefined
  }

  /** What there is no memory for takes what is there with it, but for a classic `add` or `cas`. */
  protected override refusal(request: Request, before: Item | undefined): Answer | undefined {
    const refused = super.refusal(request, before)
    const isSparing = request.classic && request.flags.some((flag) => flag === 'ME' || flag.startsWith('C'))
    if (refused !== undefined && before !== undefined && !isSparing) this.drop('evict', request.key, before, request.by)
    return refused
  }

  #tickIn(ms: number): void {
    this.#cancelTick()
    this.#cancelTick = this.time.timer(ms, () => this.#tick())
  }

  #tick(): void {
    this.#clock = this.#options.uptimeS + FIRST_UPTIME + Math.floor((this.time.now() - this.#beganAt) / 1000)
    for (const key of [...this.items.keys()]) this.find(key)
    this.#tickIn(TICK_MS)
  }
}
