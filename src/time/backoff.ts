/**
 * Pauses between tries: random, growing, bounded, so that those who failed together do not come back together.
 * Decorrelated jitter, as in Marc Brooker's "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
 */
export class Backoff {
  readonly #leastMs: number
  readonly #mostMs: number
  readonly #random: () => number
  #lastMs = 0

  /** `random`: from 0, below 1. */
  constructor(leastMs: number, mostMs: number, random: () => number = Math.random) {
    this.#leastMs = leastMs
    this.#mostMs = mostMs
    this.#random = random
  }

  /** Milliseconds, between the least and three times the last pause. */
  next(): number {
    const upTo = Math.max(this.#leastMs, this.#lastMs * 3)
    this.#lastMs = Math.min(this.#mostMs, this.#leastMs + this.#random() * (upTo - this.#leastMs))
    return this.#lastMs
  }

  reset(): void {
    this.#lastMs = 0
  }
}
