/** Jobs that run once a period, as the methods of locks have them. */
import { LockArgumentError } from '../../errors.js'
import { linked } from '../../linked.js'
import { checkName } from '../../names.js'
import type { Base } from '../base.js'
import { Cell } from '../cell.js'
import { Schedule, Turns } from './every.js'
import { Foresight } from './foresight.js'
import { type Job, type OnceResult, type Task, Turn } from './once.js'
import { type EveryOptions, type OnceOptions, rhythmOf, timingOf } from './once-options.js'
import { type RunRecord, recordsOf } from './run-record.js'

export class Jobs {
  readonly #base: Base
  readonly #foresight: Foresight

  constructor(base: Base) {
    this.#base = base
    this.#foresight = new Foresight(base.site.environment.clock)
  }

  async once<T>(name: string, options: OnceOptions, job: Job<T>): Promise<OnceResult<T>> {
    return await this.#take(this.#task(name, options, job), options.signal)
  }

  /** What cannot be is said at once, and not to the handler of errors. */
  every(name: string, options: EveryOptions, job: Job<unknown>): Schedule {
    const { once, timing } = timingOf(options)
    const task = this.#task(name, once, job)
    const { closing, site } = this.#base
    closing.throwIfAborted()
    return new Schedule(async (stopping) => {
      const stopped = linked(stopping, once.signal)
      const { signal, unlink } = linked(closing, stopped.signal)
      const take = () => this.#take(task, stopped.signal)
      await new Turns(site.environment, task.rhythm, timing, take, signal).go().catch(() => {})
      unlink()
      stopped.unlink()
    })
  }

  async lastRun(name: string): Promise<RunRecord | undefined> {
    return (await new Cell(this.#base, recordsOf(checkName(name))).read()).state
  }

  #task<T>(name: string, options: OnceOptions, job: Job<T>): Task<T> {
    const rhythm = rhythmOf(options, this.#base.defaults)
    const records = new Cell(this.#base, recordsOf(checkName(name), rhythm.slots.everyMs))
    if (typeof job === 'function') return { name, rhythm, records, job }
    throw new LockArgumentError('the last argument is the job, a function', name)
  }

  async #take<T>(task: Task<T>, given: AbortSignal | undefined): Promise<OnceResult<T>> {
    this.#base.closing.throwIfAborted()
    const { signal, unlink } = linked(this.#base.closing, given)
    try {
      return await new Turn(this.#base, this.#foresight, task, signal).take()
    } finally {
      unlink()
    }
  }
}
