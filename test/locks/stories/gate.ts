/** A step at which a test holds somebody up, in this process. */
import type { Step } from './recipes/recipe.js'

export class Gate {
  #arrive = () => {}
  #open = () => {}
  readonly #reached = new Promise<void>((resolve) => {
    this.#arrive = resolve
  })
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve
  })

  /** Whoever comes waits until it is open. */
  readonly step: Step = () => {
    this.#arrive()
    return this.#opened
  }

  /** Resolves when `work` stands before it; rejects when that has settled without having come here. */
  reachedBy(work: Promise<unknown>): Promise<void> {
    const missed = work.then(() => Promise.reject(new Error('it came to its end without a stop here')))
    return Promise.race([this.#reached, missed])
  }

  open(): void {
    this.#open()
  }
}
