/**
 * The time that leases are counted in: as monotonic time, but a suspended machine, whose monotonic clock stood still, finds
 * the time gone when it wakes. That is seen by the wall clock: where it has run ahead of the monotonic one, the lead counts
 * too. A wall clock that is set forward by hand therefore ends leases early, which is safe; one set back does nothing.
 *
 * The two are not compared from reading to reading. A wall clock of whole milliseconds, read ten times in one, would count
 * that one twice. A lead is counted once it is larger than what two roundings can make of nothing.
 */
import type { Clock } from './driver.js'

/** Two readings of clocks of whole milliseconds differ by less. What is not counted for it is part of a lease's margin. */
export const ROUNDING_MS = 2

/** Milliseconds since any moment. */
export interface TimeSources {
  /** Steady; may stand still while the machine is suspended. */
  monotonicMs(): number
  /** Goes on while the machine is suspended; may be set. */
  wallMs(): number
}

/** Threads of a process count the same monotonic time with this. */
export const systemTime: TimeSources = {
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  wallMs: () => Date.now(),
}

/** Only for readings of one thread, and cheaper. */
const ownTime: TimeSources = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
}

/** A clock for leases on these sources. */
export class LeaseClock implements Clock {
  readonly #sources: TimeSources
  /** How far the wall clock was before the monotonic one, when that was last set right. */
  #lead: number
  /** The sum of the leads that it won. */
  #addedMs = 0
  #lastMs: number

  constructor(sources: TimeSources = ownTime) {
    this.#sources = sources
    this.#lastMs = sources.monotonicMs()
    this.#lead = sources.wallMs() - this.#lastMs
  }

  now(): number {
    const monotonicMs = this.#sources.monotonicMs()
    this.#follow(this.#sources.wallMs() - monotonicMs)
    this.#lastMs = Math.max(this.#lastMs, monotonicMs + this.#addedMs)
    return this.#lastMs
  }

  #follow(lead: number): void {
    const wonMs = lead - this.#lead
    if (Math.abs(wonMs) < ROUNDING_MS) return
    this.#lead = lead
    // Set back: from here on it is compared with where it is now, or a later suspension would go unseen.
    if (wonMs > 0) this.#addedMs += wonMs
  }
}
