/**
 * A timer on each machine that takes its turn as each period begins. It asks the wall clock each time it wakes, so that it neither
 * drifts nor misses that a clock was set; periods that went by meanwhile are one.
 */
import type { Environment } from '../../environment.js'
import { LockUnavailableError } from '../../errors.js'
import { pause } from '../../pause.js'
import { call, tell, warn } from '../callback.js'
import type { OnceResult } from './once.js'
import type { Rhythm, Timing } from './once-options.js'

/** Timers stand still while a machine is suspended, and a wall clock can be set: it is looked at after at most so long. */
const LOOK_MS = 10_000

/** A job that goes on being run, on one machine each time. Made by `every`. */
export class Schedule implements AsyncDisposable {
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>

  /** @internal `run` ends when the signal aborts. */
  constructor(run: (signal: AbortSignal) => Promise<void>) {
    this.#running = run(this.#stopping.signal)
  }

  /** Takes no more turns, and resolves when a job that runs here has ended. Never rejects, and can be called again. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('this schedule is stopped'))
    await this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** What happens on one machine. */
export class Turns {
  readonly #environment: Environment
  readonly #rhythm: Rhythm
  readonly #timing: Timing
  readonly #take: () => Promise<OnceResult<unknown>>
  readonly #signal: AbortSignal

  constructor(
    environment: Environment,
    rhythm: Rhythm,
    timing: Timing,
    take: () => Promise<OnceResult<unknown>>,
    signal: AbortSignal,
  ) {
    this.#environment = environment
    this.#rhythm = rhythm
    this.#timing = timing
    this.#take = take
    this.#signal = signal
  }

  /** Until the signal aborts: rejects with its reason. */
  async go(): Promise<never> {
    const { slots } = this.#rhythm
    let slotMs = this.#timing.catchUp ? slots.at(this.#wallMs()) : slots.after(this.#wallMs())
    for (;;) {
      await this.#sleepUntil(slotMs)
      slotMs = slots.after(await this.#takeTurn())
    }
  }

  /**
   * Asks until it is known what becomes of the period: who runs the job may die, and what has failed may be tried again. The next period
   * may have begun meanwhile, and is asked for then. Resolves with the one that was asked for last.
   */
  async #takeTurn(): Promise<number> {
    const { slots, wanted } = this.#rhythm
    for (;;) {
      const slotMs = slots.at(this.#wallMs())
      if (await this.#isSettled()) return slotMs
      const pauseMs = (wanted.ttlMs * (1 + this.#environment.random())) / 2
      // A lease may be longer than a period: the next one is not slept through.
      await this.#pause(Math.min(pauseMs, slots.after(this.#wallMs()) - this.#wallMs()))
    }
  }

  async #isSettled(): Promise<boolean> {
    const { onResult, onError } = this.#timing
    try {
      const result = await this.#take()
      call(() => onResult(result)).catch(warn)
      return result.ran || !result.busy
    } catch (error) {
      if (!this.#isEnd(error)) tell(onError, error)
      return false
    }
  }

  /** Not the job's: what ends this. */
  #isEnd(error: unknown): boolean {
    const { aborted, reason } = this.#signal
    return aborted && (error === reason || error instanceof LockUnavailableError)
  }

  /** Until this period has begun, and the jitter is over; until the next one, should the clock be set back by more than one. */
  async #sleepUntil(slotMs: number): Promise<void> {
    const { slots } = this.#rhythm
    const jitterMs = this.#timing.jitterMs * this.#environment.random()
    let beginsMs = slotMs
    for (;;) {
      const wallMs = this.#wallMs()
      beginsMs = Math.min(beginsMs, slots.after(wallMs))
      const leftMs = beginsMs + jitterMs - wallMs
      if (leftMs <= 0) return
      await this.#pause(Math.min(leftMs, LOOK_MS))
    }
  }

  #pause(ms: number): Promise<void> {
    return pause(this.#environment, ms, this.#signal, this.#timing.keepAlive)
  }

  #wallMs(): number {
    return this.#environment.wallMs()
  }
}
