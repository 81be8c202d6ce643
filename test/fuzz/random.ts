/** Small seeded randomness: the same seed gives the same frames on every machine. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 to 2^32 − 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** 0 to `bound` − 1. */
  below(bound: number): number {
    return this.next() % bound
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]
  }

  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  /** Any bytes, as a latin1 string. */
  bytes(length: number): string {
    return Array.from({ length }, () => String.fromCharCode(this.below(256))).join('')
  }
}
