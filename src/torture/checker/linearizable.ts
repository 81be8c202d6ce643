/**
 * Is there an order in which a mutex could have done all this, one thing after the other? An exact search in the manner of Wing and Gong
 * (“Testing and verifying concurrent objects”, 1993), with the memory of places already seen that Lowe added to it.
 */

/** One request and its answer. It took effect at one moment between `from` and `to`. */
export interface Operation {
  /** `busy`: asked for, and somebody else had it. */
  readonly what: 'acquire' | 'release' | 'busy'
  /** Which holding it begins or ends; of `busy`, none. */
  readonly hold?: number
  readonly from: number
  /** Infinity: it may still take effect. */
  readonly to: number
  /** Nobody knows whether it took effect at all. */
  readonly optional?: boolean
}

/** undefined: there is such an order. Otherwise, the operation that had to come next where the search got furthest. */
export function cannotBeOrdered(operations: readonly Operation[]): Operation | undefined {
  return new Search(operations).run()
}

class Search {
  readonly #operations: readonly Operation[]
  readonly #isDone: boolean[]
  readonly #seen = new Set<string>()
  #holder: number | undefined
  #done = 0
  #furthest = -1
  #stuckAt: Operation | undefined

  constructor(operations: readonly Operation[]) {
    this.#operations = operations
    this.#isDone = operations.map(() => false)
  }

  run(): Operation | undefined {
    return this.#canGoOn() ? undefined : this.#stuckAt
  }

  #canGoOn(): boolean {
    const next = this.#mostUrgent()
    if (next === undefined) return true
    if (this.#wasHere()) return false
    if (this.#done > this.#furthest) {
      this.#furthest = this.#done
      this.#stuckAt = next
    }
    // What begins after the most urgent one has ended cannot come before it.
    return this.#operations.some((operation, i) => !this.#isDone[i] && operation.from <= next.to && this.#tryOut(i))
  }

  /** Of what has to be done still, what ended first; undefined when only what is optional is left. */
  #mostUrgent(): Operation | undefined {
    let urgent: Operation | undefined
    for (const [i, operation] of this.#operations.entries()) {
      if (this.#isDone[i] || operation.optional) continue
      if (urgent === undefined || operation.to < urgent.to) urgent = operation
    }
    return urgent
  }

  #wasHere(): boolean {
    const place = `${this.#isDone.map(Number).join('')} ${this.#holder}`
    if (this.#seen.has(place)) return true
    this.#seen.add(place)
    return false
  }

  #tryOut(i: number): boolean {
    const operation = this.#operations[i]
    if (!this.#isLegal(operation)) return false
    const before = this.#holder
    if (operation.what !== 'busy') this.#holder = operation.what === 'acquire' ? operation.hold : undefined
    this.#isDone[i] = true
    this.#done++
    if (this.#canGoOn()) return true
    this.#holder = before
    this.#isDone[i] = false
    this.#done--
    return false
  }

  #isLegal({ what, hold }: Operation): boolean {
    if (what === 'acquire') return this.#holder === undefined
    return what === 'busy' ? this.#holder !== undefined : this.#holder === hold
  }
}
