/** What goes on behind the callers' backs, so that `close` can wait for it. */
import { manyMayWait } from './linked.js'

export class Chores {
  readonly #running = new Set<Promise<unknown>>()
  readonly #hurry = new AbortController()

  constructor() {
    manyMayWait(this.#hurry.signal)
  }

  /** Aborts when there is no time any more: whoever waits tries once more and ends. */
  get hurry(): AbortSignal {
    return this.#hurry.signal
  }

  /** Nobody is left to tell of a failure: a chore that cannot do its work leaves it to the lease's end. */
  add(chore: Promise<unknown>): void {
    const forget = () => void this.#running.delete(chore)
    this.#running.add(chore)
    chore.then(forget, forget)
  }

  async finish(): Promise<void> {
    this.#hurry.abort()
    while (this.#running.size > 0) await Promise.allSettled(this.#running)
  }
}
