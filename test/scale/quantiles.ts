/** Measured milliseconds, and what is told of them. */
export class Quantiles {
  readonly #values: number[] = []
  #isSorted = true

  get count(): number {
    return this.#values.length
  }

  add(ms: number): void {
    this.#values.push(ms)
    this.#isSorted = false
  }

  /** `share`: 0.5 for the median. NaN of nothing. */
  at(share: number): number {
    if (!this.#isSorted) this.#values.sort((one, other) => one - other)
    this.#isSorted = true
    return this.#values[Math.min(this.#values.length - 1, Math.floor(share * this.#values.length))] ?? Number.NaN
  }

  get most(): number {
    return this.at(1)
  }
}
