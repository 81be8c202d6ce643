/** Time that passes only when nothing is left to do now: hours in milliseconds, and the same every time. */

interface Timer {
  readonly at: number
  readonly order: number
  /** undefined: called off. It stays in the heap until its time. */
  run: (() => void) | undefined
}

export class VirtualTime {
  #now = 0
  #order = 0
  /** A binary heap: the soonest first, of those at one moment the one that was made first. */
  readonly #heap: Timer[] = []
  #waiting = 0
  /** Called after everything that happened. True: something may have come of that, which has to have its turn first. */
  afterStep: () => unknown = () => undefined

  now(): number {
    return this.#now
  }

  /** How many timers are set. */
  get waiting(): number {
    return this.#waiting
  }

  timer(ms: number, run: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order++, run }
    this.#waiting++
    this.#rise(timer)
    return () => {
      if (timer.run === undefined) return
      timer.run = undefined
      this.#waiting--
    }
  }

  /** Calls everything off. */
  clear(): void {
    for (const timer of this.#heap) timer.run = undefined
    this.#heap.length = 0
    this.#waiting = 0
  }

  /** Runs what was due in the next `ms`. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await this.#runWhile(() => this.#isDue(end))
    this.#now = Math.max(this.#now, end)
  }

  /** The clock goes on while nothing runs, as when the event loop is blocked. */
  stall(ms: number): void {
    this.#now += ms
  }

  /** Lets time pass until it has settled. Throws when nothing will ever settle it. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    const limit = this.#now + 1e9
    if (!(await this.within(promise, limit - this.#now))) throw new Error('nothing will ever settle it')
    return promise
  }

  /** Lets time pass until it has settled, but not more than `ms`. True when it has. */
  async within(promise: Promise<unknown>, ms: number): Promise<boolean> {
    let pending = true
    const end = () => {
      pending = false
    }
    promise.then(end, end)
    const until = this.#now + ms
    await this.#runWhile(() => pending && this.#isDue(until))
    return !pending
  }

  #isDue(end: number): boolean {
    this.#dropCalledOff()
    return this.#heap.length > 0 && this.#heap[0].at <= end
  }

  #dropCalledOff(): void {
    while (this.#heap.length > 0 && this.#heap[0].run === undefined) this.#takeFirst()
  }

  /**
   * One timer after the other, each when all promises that the one before has settled have had their turn, and those that these
   * have settled, and so on: a tick that is asked for from a microtask comes when no microtask is left. No turn of the event loop
   * is taken for it. `more` is asked then, too.
   */
  #runWhile(more: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let looked = true
      const step = () => {
        try {
          if (!looked) {
            looked = true
            if (this.afterStep() === true) return whenQuiet(step)
          }
          looked = false
          if (!more()) {
            resolve()
            return
          }
          this.#step()
        } catch (error) {
          reject(error)
          return
        }
        whenQuiet(step)
      }
      whenQuiet(step)
    })
  }

  #step(): void {
    const timer = this.#takeFirst()
    const { run } = timer
    timer.run = undefined
    this.#waiting--
    // Who has stalled is ahead of its timers.
    this.#now = Math.max(this.#now, timer.at)
    run!()
  }

  #rise(timer: Timer): void {
    const heap = this.#heap
    let place = heap.length
    heap.push(timer)
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!isBefore(timer, heap[parent])) break
      heap[place] = heap[parent]
      place = parent
    }
    heap[place] = timer
  }

  #takeFirst(): Timer {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()!
    if (heap.length > 0) this.#sink(last)
    return first
  }

  #sink(timer: Timer): void {
    const heap = this.#heap
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++
      if (!isBefore(heap[child], timer)) break
      heap[place] = heap[child]
      place = child
    }
    heap[place] = timer
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}

function whenQuiet(next: () => void): void {
  queueMicrotask(() => process.nextTick(next))
}
