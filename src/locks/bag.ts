/**
 * Things that come and go by the thousand. A Set would make a new table every few of them, and each table that is given up points to the next:
 * once one is old enough to be left to the slow garbage collector, all that follow are kept alive until that runs, with what they hold.
 */
export interface Place<T> {
  readonly item: T
  /** −1: it has gone. */
  index: number
}

export class Bag<T> implements Iterable<T> {
  readonly #places: Place<T>[] = []

  get size(): number {
    return this.#places.length
  }

  add(item: T): Place<T> {
    const place = { item, index: this.#places.length }
    this.#places.push(place)
    return place
  }

  /** Does nothing the second time. */
  remove(place: Place<T>): void {
    const { index } = place
    if (index < 0) return
    place.index = -1
    const last = this.#places.pop()!
    if (last === place) return
    this.#places[index] = last
    last.index = index
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const { item } of [...this.#places]) yield item
  }
}
