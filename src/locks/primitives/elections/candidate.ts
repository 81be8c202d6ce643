/**
 * Standing for election, term after term. At the end of a term the signal aborts first, then `onLost` is called, and then, when the
 * leader's work has come to its end or its grace is over, the lock is given back: until then nobody else is elected.
 */
import { Backoff } from '../../../time/index.js'
import { LeadershipEndedError, LockLostError } from '../../errors.js'
import { manyMayWait } from '../../linked.js'
import { pause } from '../../pause.js'
import { call, tell } from '../callback.js'
import { campaign, type Polls } from './campaign.js'
import type { Platform } from './election-options.js'
import type { Leader, Leadership } from './leadership.js'

/** Who asks again and again does so four times a second at least: all others have had their chance by then. */
const AFTER_RESIGNING_MS = 1000
/** A leader that fails again and again must not keep better ones from leading. */
const FAILING_LEAST_MS = 1000
const FAILING_MOST_MS = 60_000

/** Made by `elect`. It stands until it is stopped: `await using candidate = …` does. */
export class Candidate implements AsyncDisposable {
  /** Of the election. */
  readonly name: string
  /** Resolves when it stands no more and has given back what it had: stopped, or refused for good, as `onError` was told. Never rejects. */
  readonly ended: Promise<void>
  readonly #polls: Polls
  readonly #platform: Platform
  readonly #stopping = new AbortController()
  readonly #failures: Backoff
  #leadership: Leadership | undefined

  /** @internal */
  constructor(polls: Polls, name: string, platform: Platform) {
    const { signal } = platform.wanted
    this.name = name
    this.#polls = polls
    this.#platform = platform
    this.#failures = new Backoff(FAILING_LEAST_MS, FAILING_MOST_MS, polls.site.environment.random)
    const stop = () => this.#stop()
    if (signal !== undefined) manyMayWait(signal)
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
    this.ended = this.#stand().finally(() => signal?.removeEventListener('abort', stop))
  }

  /** Asks the clock: right also when this thread was blocked and no timer has run. */
  get isLeader(): boolean {
    return this.#leadership?.isLeading === true
  }

  /** undefined while it does not lead. */
  get leader(): Leader | undefined {
    return this.isLeader ? this.#leadership : undefined
  }

  /** Gives the term up and stands again, a second after the lock was given back. False when it does not lead. */
  resign(): boolean {
    const wasLeading = this.isLeader
    this.#end('it was resigned')
    return wasLeading
  }

  /**
   * Stands no more: leaves the queue, or resigns. Resolves as `ended`, within `grace` and what the server takes. Not to be awaited by
   * `onElected` or `onLost`, for whose end it waits.
   */
  stop(): Promise<void> {
    this.#stop()
    return this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #stop(): void {
    this.#stopping.abort()
    this.#end('it stands no more')
  }

  #end(why: string, options?: ErrorOptions): void {
    this.#leadership?.end(new LeadershipEndedError(this.name, why, options))
  }

  async #stand(): Promise<void> {
    for (;;) {
      const leadership = await this.#elected()
      if (leadership === undefined) return
      this.#leadership = leadership
      if (this.#stopping.signal.aborted) this.#end('it stands no more')
      if (!leadership.signal.aborted) await this.#lead(leadership)
      await leadership.resign()
      this.#leadership = undefined
      await this.#rest(leadership.signal.reason)
    }
  }

  /** undefined: it never will be. */
  async #elected(): Promise<Leadership | undefined> {
    const { signal } = this.#stopping
    if (signal.aborted) return undefined
    try {
      return await campaign(this.#polls, this.name, { ...this.#platform.wanted, signal }, this.#tell)
    } catch (error) {
      if (!signal.aborted) this.#tell(error)
      return undefined
    }
  }

  /** Until the term is over, and nothing is done in its name any more. */
  async #lead(leadership: Leadership): Promise<void> {
    const { onElected, onLost } = this.#platform
    const { signal } = leadership
    const work = call(() => onElected(leadership)).catch((error) => this.#failed(signal, error))
    await aborted(signal)
    const told = call(() => onLost?.(signal.reason, leadership)).catch(this.#tell)
    await this.#settled(Promise.all([work, told]))
  }

  #failed(term: AbortSignal, error: unknown): void {
    // What ends because the term does usually says so by throwing.
    if (term.aborted && comesOf(term.reason, error)) return
    this.#tell(error)
    if (!term.aborted) this.#end('onElected has failed', { cause: error })
  }

  async #settled(work: Promise<unknown>): Promise<void> {
    const { graceMs } = this.#platform
    const done = new AbortController()
    const late = pause(this.#polls.site.environment, graceMs, done.signal, true).then(
      () => this.#tell(new LeadershipEndedError(this.name, `its work has not, within ${graceMs} ms`)),
      () => {},
    )
    await Promise.race([work, late])
    done.abort()
  }

  async #rest(reason: unknown): Promise<void> {
    const failed = reason instanceof LeadershipEndedError && reason.cause !== undefined
    if (!failed) this.#failures.reset()
    // Deposed: it stands again at once.
    if (reason instanceof LockLostError) return
    const restMs = failed ? this.#failures.next() : AFTER_RESIGNING_MS
    await pause(this.#polls.site.environment, restMs, this.#stopping.signal, true).catch(() => {})
  }

  readonly #tell = (error: unknown): void => tell(this.#platform.onError, error)
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function comesOf(reason: unknown, error: unknown): boolean {
  if (error === reason || error instanceof LockLostError) return true
  return error instanceof Error && (error.name === 'AbortError' || error.cause === reason)
}
