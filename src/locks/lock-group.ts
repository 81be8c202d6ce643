/** Several locks as one: all of them, or none. */
import type { Span } from '../time/index.js'
import { type LockLostError, LockUnavailableError } from './errors.js'
import type { Lock } from './lock.js'
import type { Wanted } from './settings.js'
import type { LockState, ReleaseOutcome } from './types.js'

/** Worst first. */
const STATES: readonly LockState[] = ['lost', 'released', 'suspect', 'held']
const OUTCOMES: readonly ReleaseOutcome[] = ['lost', 'unknown', 'released']

/** Made by `acquire` of several names. */
export class LockGroup implements AsyncDisposable {
  /** Sorted by name, which is the order in which they were acquired. */
  readonly locks: readonly Lock[]
  readonly #lost = new AbortController()

  /** @internal */
  constructor(locks: readonly Lock[]) {
    this.locks = locks
    for (const { signal } of locks) {
      const lose = () => this.#lost.abort(signal.reason as LockLostError)
      if (signal.aborted) lose()
      else signal.addEventListener('abort', lose, { once: true })
    }
  }

  get names(): readonly string[] {
    return this.locks.map(({ name }) => name)
  }

  /** By name. Throws LockArgumentError where the guarantee is not `fenced`. */
  get fences(): ReadonlyMap<string, bigint> {
    return new Map(this.locks.map(({ name, fence }) => [name, fence]))
  }

  /** Aborts with the LockLostError of the first that is lost. */
  get signal(): AbortSignal {
    return this.#lost.signal
  }

  /** That of the worst of them: lost, released, suspect, held. */
  get state(): LockState {
    return worst(
      this.locks.map(({ state }) => state),
      STATES,
    )
  }

  /** The least of all. */
  remainingMs(): number {
    return Math.min(...this.locks.map((lock) => lock.remainingMs()))
  }

  /** Throws LockLostError when one of them is not held any more, or with less than `minMs` milliseconds left. */
  assertHeld(minMs = 0): void {
    for (const lock of this.locks) lock.assertHeld(minMs)
  }

  /** All at once. Rejects as the first that fails does; others may have been extended. */
  async extend(ttl?: Span): Promise<void> {
    await Promise.all(this.locks.map((lock) => lock.extend(ttl)))
  }

  /** All of them, sent at once, last acquired first. The worst outcome of all: lost, unknown, released. Never rejects. */
  async release(): Promise<ReleaseOutcome> {
    const outcomes = await Promise.all(this.locks.toReversed().map((lock) => lock.release()))
    return worst(outcomes, OUTCOMES)
  }

  /** As `releaseAfter` of a lock. */
  async releaseAfter<T>(work: PromiseLike<T>): Promise<T> {
    try {
      return await work
    } finally {
      await this.release()
    }
  }

  /** Releases; never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }
}

/** While the last of them was waited for, the first may have grown old. Throws LockUnavailableError when that cannot be mended. */
export async function refresh(locks: readonly Lock[], { minRemainingMs, renew }: Wanted): Promise<void> {
  for (const lock of locks.slice(0, -1)) {
    // One that is renewed has had its time; extending it anew would only make the others older.
    if (renew === false && lock.remainingMs() < minRemainingMs) await lock.extend().catch(() => {})
    if (lock.remainingMs() >= minRemainingMs) continue
    throw new LockUnavailableError(lock.name, 'too little of its lease was left when all others were acquired')
  }
}

function worst<T>(all: readonly T[], order: readonly T[]): T {
  return order.find((each) => all.includes(each))!
}
