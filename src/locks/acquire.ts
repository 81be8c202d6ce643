/** Acquiring one lock: attempts, with waiting between them, until it is held or the time is over. */
import { Backoff } from '../time/index.js'
import { Attempt, type Result } from './attempt.js'
import type { Held } from './belief.js'
import type { Found } from './driver.js'
import { LockBusyError, type LockUnavailableError, LockWaitTimeoutError } from './errors.js'
import { lockInfo } from './info.js'
import { pause } from './pause.js'
import type { Wanted } from './settings.js'
import { callOf, type Site } from './site.js'
import type { Asking } from './trace.js'

/** Those who poll ask again soon at first, and at last four times a second. */
const POLL_LEAST_MS = 10
const POLL_MOST_MS = 250
/** For one request; whoever waits longer asks again. */
const LONGEST_WAIT_MS = 86_400_000
/** For those who do not wait: they need not look at the clock for it. */
export const AT_ONCE = Number.NEGATIVE_INFINITY
/** Those who got no answer. */
const RETRY_LEAST_MS = 25
const RETRY_MOST_MS = 1000

export type Instead = () => Promise<Held | undefined>

/**
 * `until`: when the waiting is over; `wanted.waitMs` says only how it is told. Throws LockBusyError or LockWaitTimeoutError, LockUnavailableError, LockAmbiguousError, LockArgumentError, or the reason of
 * `signal`, and then leaves nothing behind.
 */
export function acquire(
  site: Site,
  name: string,
  wanted: Wanted,
  until: number,
  signal: AbortSignal,
  asking: Asking | undefined,
): Promise<Held> {
  const held = new Acquisition(site, name, wanted, until, signal, asking, undefined).run()
  return asking === undefined ? held : asking.until(held)
}

/**
 * As `acquire`, of a lock that is a part of what is asked for. `instead` is asked after each attempt that found the server unavailable: what
 * it gives is had in the lock's stead.
 */
export function acquirePart(
  site: Site,
  name: string,
  wanted: Wanted,
  until: number,
  signal: AbortSignal,
  asking: Asking | undefined,
  instead: Instead | undefined,
): Promise<Held> {
  return new Acquisition(site, name, wanted, until, signal, asking, instead).run()
}

class Acquisition {
  readonly #site: Site
  readonly #name: string
  readonly #wanted: Wanted
  readonly #signal: AbortSignal
  readonly #until: number
  readonly #asking: Asking | undefined
  readonly #onQueued: (() => void) | undefined
  readonly #instead: Instead | undefined
  // Most need neither.
  #polls: Backoff | undefined
  #retries: Backoff | undefined

  constructor(
    site: Site,
    name: string,
    wanted: Wanted,
    until: number,
    signal: AbortSignal,
    asking: Asking | undefined,
    instead: Instead | undefined,
  ) {
    this.#site = site
    this.#name = name
    this.#wanted = wanted
    this.#signal = signal
    this.#until = until
    this.#asking = asking
    this.#onQueued = asking && (() => asking.waits('queue'))
    this.#instead = instead
  }

  async run(): Promise<Held> {
    for (;;) {
      const waitMs = Math.min(this.#leftMs(), LONGEST_WAIT_MS)
      const attempt = new Attempt(this.#site, this.#name, this.#wanted, waitMs, this.#signal, this.#onQueued)
      const result = await attempt.make()
      if (result.status === 'held') return result.held
      if (result.status === 'unavailable') {
        const other = await this.#instead?.()
        if (other !== undefined) return other
      }
      const leftMs = this.#leftMs()
      const pauseMs = this.#pauseMs(result)
      // What is over is over: the last attempt is the one made at the end, not one after it.
      if (leftMs <= 0 || pauseMs === undefined) throw await this.#failure(result)
      this.#asking?.waits('poll')
      if (result.status === 'unavailable') this.#wanted.onSetback?.(result.error)
      await pause(this.#site.environment, Math.min(pauseMs, leftMs), this.#signal, true)
    }
  }

  /** undefined: it is known that no attempt can succeed in time. */
  #pauseMs(result: Exclude<Result, { status: 'held' }>): number | undefined {
    if (result.status === 'unavailable') return this.#retryMs(result.error)
    this.#retries?.reset()
    // Whoever has come to the end of the queue's patience with time left over asks at once.
    if (result.queued) return POLL_LEAST_MS
    return Math.min(this.#nextPoll(), Math.max(1, result.found?.leftMs ?? POLL_MOST_MS))
  }

  #retryMs({ retryAfterMs = 0 }: LockUnavailableError): number | undefined {
    return retryAfterMs > this.#leftMs() ? undefined : Math.max(retryAfterMs, this.#nextRetry())
  }

  async #failure(result: Exclude<Result, { status: 'held' }>): Promise<Error> {
    if (result.status === 'unavailable') return result.error
    const found = result.found ?? (await this.#look())
    const holder = found && lockInfo(found, this.#site.prefix)
    if (this.#wanted.waitMs === 0) return new LockBusyError(this.#name, holder)
    return new LockWaitTimeoutError(this.#name, this.#wanted.waitMs, holder)
  }

  #nextPoll(): number {
    this.#polls ??= new Backoff(POLL_LEAST_MS, POLL_MOST_MS, this.#site.environment.random)
    return this.#polls.next()
  }

  #nextRetry(): number {
    this.#retries ??= new Backoff(RETRY_LEAST_MS, RETRY_MOST_MS, this.#site.environment.random)
    return this.#retries.next()
  }

  /** Only to tell who holds it. */
  async #look(): Promise<Found | undefined> {
    const { driver, prefix } = this.#site
    return driver.find(prefix + this.#name, callOf(this.#site, this.#signal)).catch(() => undefined)
  }

  #leftMs(): number {
    if (this.#until === AT_ONCE) return 0
    return Math.max(0, this.#until - this.#site.environment.clock.now())
  }
}
