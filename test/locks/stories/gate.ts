/** A step at which a test holds somebody up, in this process. */
import type { Step } from './recipes/recipe.js'

export class Gate {
  #arrive = () => {}
  #open = () => {}
  /** Resolves when somebody stands before it. */
  readonly reached = new Promise<void>((resolve) => {
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

  open(): void {
    this.#open()
  }
}
