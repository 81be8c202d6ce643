/** What goes on behind the callers' backs, so that `close` can wait for it. */
import { manyMayWait } from './linked.js'

export class Chores {
  readonly #hurry = new AbortController()
  #running = 0
  #whenIdle = () => {}

  constructor() {
    manyMayWait(this.#hurry.signal)
  }

  /** Aborts when there is no time any more: whoever waits tries once more and ends. */
  get hurry(): AbortSignal {
    return this.#hurry.signal
  }

  /** Nobody is left to tell of a failure: a chore that cannot do its work leaves it to the lease's end. */
  add(chore: Promise<unknown>): void {
    this.begin()
    const end = () => this.end()
    chore.then(end, end)
  }

  /** For those who see to it themselves that each beginning has its end: there are two of them a lock. */
  begin(): void {
    this.#running++
  }

  end(): void {
    this.#running--
    if (this.#running === 0) this.#whenIdle()
  }

  async finish(): Promise<void> {
    this.#hurry.abort()
    while (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve
      })
    }
  }
}
