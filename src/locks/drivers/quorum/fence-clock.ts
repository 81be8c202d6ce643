/**
 * Fences for a lock on several servers, chosen by whoever asks: microseconds since 2020, times 4096, with twelve random bits below,
 * so that two who ask in the same microsecond differ. Servers remember the greatest that they were told of (a floor); a clock that
 * is behind is told so by them, and counts ahead from then on. The scale is that of Latchkey's tokens.
 */
import { systemTime, type TimeSources } from '../../clock.js'

const BEGINNING_MS = Date.UTC(2020, 0, 1)
const STEPS_PER_MICROSECOND = 4096
/** As far as the two clocks may differ before the finer one is set by the coarser. */
const APART_MS = 5

export class FenceClock {
  readonly #random: () => number
  readonly #times: TimeSources
  #last = 0n
  /** What is added, since floors were found above our clock. */
  #ahead = 0n
  #anchorMs = Number.NaN

  /** `random`: from 0, below 1. */
  constructor(random: () => number = Math.random, times: TimeSources = systemTime) {
    this.#random = random
    this.#times = times
  }

  /** Greater than all that this one has given, and than every floor it was told. */
  next(): bigint {
    const proposed = this.#now() + this.#ahead
    this.#last = proposed > this.#last ? proposed : this.#last + 1n
    return this.#last
  }

  /** A server knew of this one. */
  saw(floor: bigint): void {
    const behind = floor - this.#now()
    if (behind > this.#ahead) this.#ahead = behind
    if (floor > this.#last) this.#last = floor
  }

  #now(): bigint {
    const steps = BigInt(Math.floor(this.#wallMs() * 1000)) * BigInt(STEPS_PER_MICROSECOND)
    return steps + BigInt(Math.floor(this.#random() * STEPS_PER_MICROSECOND))
  }

  /** Since the beginning, with fractions, which only the monotonic clock has; set again when the wall clock is. */
  #wallMs(): number {
    // A clock that has not been set yet is behind: no fence is below 0.
    const [wall, fine] = [Math.max(0, this.#times.wallMs() - BEGINNING_MS), this.#times.monotonicMs()]
    if (!(Math.abs(this.#anchorMs + fine - wall) < APART_MS)) this.#anchorMs = wall - fine
    return this.#anchorMs + fine
  }
}
