/** First in, first out, in a ring that grows: what an array's `shift` would move stays where it is. */

const SMALLEST = 64

export class Queue<T> {
  #ring: (T | undefined)[] = new Array(SMALLEST)
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(item: T): void {
    if (this.#length === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#length++) & (this.#ring.length - 1)] = item
  }

  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head]
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const item = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#length--
    return item
  }

  *[Symbol.iterator](): Generator<T> {
    for (let i = 0; i < this.#length; i++) yield this.#ring[(this.#head + i) & (this.#ring.length - 1)]!
  }

  /** Empties the queue and returns what was in it. */
  drain(): T[] {
    const items = [...this]
    this.#ring = new Array(SMALLEST)
    this.#head = this.#length = 0
    return items
  }

  #grow(): void {
    const items = [...this]
    items.length *= 2
    this.#ring = items
    this.#head = 0
  }
}
