/** Time that passes only when nothing is left to do now: hours in milliseconds, and the same every time. */

interface Timer {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

export class VirtualTime {
  #now = 0
  #order = 0
  readonly #timers: Timer[] = []
  /** Called after everything that happened. */
  afterStep = () => {}

  now(): number {
    return this.#now
  }

  timer(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), order: this.#order++, run }
    let i = this.#timers.length
    while (i > 0 && this.#timers[i - 1].at > timer.at) i--
    this.#timers.splice(i, 0, timer)
    return () => {
      const at = this.#timers.indexOf(timer)
      if (at >= 0) this.#timers.splice(at, 1)
    }
  }

  /** Runs what was due in the next `ms`. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await microtasks()
    while (this.#timers.length > 0 && this.#timers[0].at <= end) await this.#step()
    this.#now = end
  }

  /** The clock goes on while nothing runs, as when the event loop is blocked. */
  stall(ms: number): void {
    this.#now += ms
  }

  /** Lets time pass until it has settled. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    let pending = true
    const end = () => {
      pending = false
    }
    promise.then(end, end)
    await microtasks()
    for (const limit = this.#now + 1e9; pending; ) {
      if (this.#timers.length === 0 || this.#now > limit) throw new Error('nothing will ever settle it')
      await this.#step()
    }
    return promise
  }

  async #step(): Promise<void> {
    const timer = this.#timers.shift()!
    this.#now = Math.max(this.#now, timer.at)
    timer.run()
    await microtasks()
    this.afterStep()
  }
}

/** All that is due without time passing. */
function microtasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
