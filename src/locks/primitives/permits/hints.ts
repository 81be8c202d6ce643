/** What one process remembers of a semaphore. It may be wrong: then it costs a round trip. */
import type { Lock } from '../../lock.js'

/** How long a semaphore is taken for contended after somebody had to wait. */
const FRESH_MS = 1000

export class Hints {
  readonly #own: (Lock | undefined)[] = []
  #contendedAt = Number.NEGATIVE_INFINITY

  noteOwn(slot: number, lock: Lock): void {
    this.#own[slot] = lock
  }

  /** Is it held by this process? */
  isOwn(slot: number): boolean {
    const lock = this.#own[slot]
    return lock !== undefined && lock.remainingMs() > 0
  }

  noteContention(now: number): void {
    this.#contendedAt = now
  }

  isContended(now: number): boolean {
    return now - this.#contendedAt < FRESH_MS
  }
}
