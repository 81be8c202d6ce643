/** Being the leader: a lock whose end, whoever brings it about, is one signal. */
import { LeadershipEndedError } from '../../errors.js'
import type { Lock } from '../../lock.js'
import type { ReleaseOutcome } from '../../types.js'

/** What the elected one needs to know to act as the leader. */
export interface Leader {
  /** Of the election. */
  readonly name: string
  /** The owner token of this term. */
  readonly owner: string
  /** Greater than that of every earlier term: hand it to what you write to, and let that refuse smaller ones. */
  readonly fence: bigint
  /**
   * Aborts when the term is over, or is about to be given up: with the LockLostError when the lease was lost, with a
   * LeadershipEndedError when the leader has resigned or stands no more.
   */
  readonly signal: AbortSignal
  /** Milliseconds for which it may still believe that it leads, without renewal. */
  remainingMs(): number
  /**
   * Throws LockLostError when the lease is over, or has less than `minMs` milliseconds left. It asks the clock, and is right also
   * when this thread was blocked and no timer has run.
   */
  assertHeld(minMs?: number): void
}

/** One term, as `campaign` has won it. Resign when it is enough: `await using leadership = …` does. */
export class Leadership implements Leader, AsyncDisposable {
  readonly #lock: Lock
  readonly #over = new AbortController()

  /** @internal */
  constructor(lock: Lock) {
    this.#lock = lock
    const { signal } = lock
    if (signal.aborted) this.end(signal.reason)
    else signal.addEventListener('abort', () => this.end(signal.reason), { once: true })
  }

  get name(): string {
    return this.#lock.name
  }

  get owner(): string {
    return this.#lock.owner
  }

  get fence(): bigint {
    return this.#lock.fence
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  /** Asks the clock: false from the end of the lease on, and once `signal` has aborted. */
  get isLeading(): boolean {
    return this.#lock.remainingMs() > 0 && !this.#over.signal.aborted
  }

  remainingMs(): number {
    return this.#lock.remainingMs()
  }

  assertHeld(minMs?: number): void {
    this.#lock.assertHeld(minMs)
  }

  /** Aborts `signal`, then gives the lock back. Never rejects, and can be called again. */
  resign(): Promise<ReleaseOutcome> {
    this.end(new LeadershipEndedError(this.name, 'it was resigned'))
    return this.#lock.release()
  }

  /** @internal The lock is still held: who does something as the leader can come to an end of it. */
  end(reason: unknown): void {
    this.#over.abort(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.resign()
  }
}
