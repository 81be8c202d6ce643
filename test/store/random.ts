/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** A whole number from 0 to `end` − 1. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * end)
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!
  }

  /** Lengths as the store tells them apart: within a page, over some pages, and with pages of its own. */
  valueLength(): number {
    const dice = this.below(100)
    if (dice < 60) return this.below(300)
    if (dice < 85) return this.below(5000)
    return dice < 97 ? this.below(30_000) : 30_000 + this.below(90_000)
  }
}
