/**
 * A job that runs once a period, on whichever machine comes first. The lock keeps two from running at a time; the record, in a
 * register, tells those who come later what has been done. It is written before the job begins and when it has ended, each time by
 * who has seen what was there: who was paused and lost the lock cannot write over the next one's.
 */
import type { Version } from '../../driver.js'
import { LockLostError } from '../../errors.js'
import type { Lock } from '../../lock.js'
import { unlessBusy } from '../../using.js'
import type { Base } from '../base.js'
import type { Cell, Seen } from '../cell.js'
import type { Foresight } from './foresight.js'
import type { Rhythm } from './once-options.js'
import { errorText, type RunRecord } from './run-record.js'

/** `run` is what has been written down about this run. */
export type Job<T> = (lock: Lock, signal: AbortSignal, run: RunRecord) => Promise<T> | T

export type OnceResult<T> =
  | {
      readonly ran: true
      readonly value: T
      readonly record: RunRecord
      /** Why the end of the run is not written down, although it ran; undefined: it is. */
      readonly recordError: unknown
    }
  | {
      readonly ran: false
      /** The last run, as it was written down; undefined: none is known. */
      readonly record: RunRecord | undefined
      /** Another holds the lock, and how its run ends was not waited for. */
      readonly busy: boolean
    }

/** What is to be run, and when. */
export interface Task<T> {
  readonly name: string
  readonly rhythm: Rhythm
  readonly records: Cell<RunRecord>
  readonly job: Job<T>
}

/** Which run it is time for: the period, and the how manieth in it. */
interface Due {
  readonly slotMs: number
  readonly attempt: number
}

/** One machine's try to be the one that runs it. */
export class Turn<T> {
  readonly #base: Base
  readonly #foresight: Foresight
  readonly #task: Task<T>
  readonly #signal: AbortSignal

  constructor(base: Base, foresight: Foresight, task: Task<T>, signal: AbortSignal) {
    this.#base = base
    this.#foresight = foresight
    this.#task = task
    this.#signal = signal
  }

  async take(): Promise<OnceResult<T>> {
    const { records } = this.#task
    const before = await records.read(this.#signal)
    // Most machines are late, and need not ask for the lock to hear that.
    if (this.#due(before) === undefined) return { ran: false, record: before.state, busy: false }
    await using lock = await this.#acquire()
    if (lock !== undefined) return await this.#takeUnder(lock)
    const { state } = await records.read(this.#signal)
    return { ran: false, record: state, busy: true }
  }

  #acquire(): Promise<Lock | undefined> {
    const { name, rhythm } = this.#task
    return unlessBusy(this.#base.acquire(name, { ...rhythm.lock, signal: this.#signal }))
  }

  async #takeUnder(lock: Lock): Promise<OnceResult<T>> {
    const { records } = this.#task
    for (;;) {
      const seen = await records.read(this.#signal)
      // It was read while the lock was held: a record that says `running` is of one who died, and not of the next holder.
      lock.assertHeld()
      const due = this.#due(seen)
      if (due === undefined) return { ran: false, record: seen.state, busy: false }
      const begun = this.#begun(lock, due)
      const version = await records.settle(begun, seen.version, (state) => state?.run === begun.run)
      if (version !== undefined) return await this.#run(lock, begun, version)
    }
  }

  #due({ state: last, version }: Seen<RunRecord>): Due | undefined {
    const { records, rhythm } = this.#task
    const wallMs = this.#base.site.environment.wallMs()
    const slotMs = rhythm.slots.at(wallMs)
    if (last === undefined) return { slotMs, attempt: 1 }
    const lastMs = last.slot.getTime()
    const ahead = lastMs > wallMs ? version : undefined
    const isStale = this.#foresight.isStale(records.key, ahead, rhythm.slots.everyMs)
    if (lastMs < slotMs || isStale) return { slotMs, attempt: 1 }
    const mayRetry = lastMs === slotMs && last.outcome !== 'done' && last.attempt <= rhythm.retries
    return mayRetry ? { slotMs, attempt: last.attempt + 1 } : undefined
  }

  #begun(lock: Lock, { slotMs, attempt }: Due): RunRecord {
    const { environment } = this.#base.site
    return {
      name: this.#task.name,
      run: lock.owner,
      slot: new Date(slotMs),
      attempt,
      startedAt: new Date(environment.wallMs()),
      finishedAt: undefined,
      outcome: 'running',
      error: undefined,
      host: environment.host,
      pid: environment.pid,
      label: this.#task.rhythm.wanted.label,
      fence: lock.guarantee === 'fenced' ? lock.fence : undefined,
    }
  }

  async #run(lock: Lock, begun: RunRecord, version: Version): Promise<OnceResult<T>> {
    let value: T
    try {
      // Writing it down may have taken long.
      lock.assertHeld()
      value = await this.#task.job(lock, lock.signal, begun)
    } catch (error) {
      await this.#end(lock, { ...begun, outcome: 'failed', error: errorText(error) }, version)
      throw error
    }
    return { ran: true, value, ...(await this.#end(lock, { ...begun, outcome: 'done' }, version)) }
  }

  /** Never rejects: the job has run, which is what the caller has to hear of first. */
  async #end(lock: Lock, ended: RunRecord, version: Version): Promise<{ record: RunRecord; recordError: unknown }> {
    const { environment, chores, deadlineMs } = this.#base.site
    const record = { ...ended, finishedAt: new Date(environment.wallMs()) }
    const isOurs = (state: RunRecord | undefined) => state?.run === record.run && state.outcome === record.outcome
    const until = environment.clock.now() + Math.max(lock.remainingMs(), 2 * deadlineMs)
    chores.begin()
    try {
      const written = await this.#task.records.settle(record, version, isOurs, until)
      const why = 'its record is of a later run, or was forgotten'
      return { record, recordError: written === undefined ? new LockLostError(record.name, why) : undefined }
    } catch (recordError) {
      return { record, recordError }
    } finally {
      chores.end()
    }
  }
}
