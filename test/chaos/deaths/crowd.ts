/** The threads of a run, from the side of the one who starts, stops and kills them. */
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Table } from 'latchkey/store'
import type { CrewData } from '../../store/crew.js'
import { compileOnOwnThread } from '../../support/compiling.js'
import { Coroner, type Finding } from './coroner.js'
import { Cell, DEEDS, type DeathsJob, type Deed, LANES, Lane, LaneState, laneAt, SURVIVORS } from './job.js'

const file = new URL('./worker.js', import.meta.url)
compileOnOwnThread()

/** For hangs only. */
const HANG_MS = 60_000

export interface Death extends Finding {
  readonly lane: number
  readonly birth: number
  readonly deed: Deed
}

interface Member {
  readonly worker: Worker
  readonly birth: number
  readonly threadId: number
  /** Settles with what it held, before that was repaired. */
  readonly died: Promise<Finding>
}

export class Crowd {
  readonly told: string[] = []
  #births = 0
  readonly #members: Member[] = []
  readonly #table: Table
  readonly #job: Omit<DeathsJob, 'lane' | 'birth'>
  readonly #coroner: Coroner

  constructor(table: Table, job: Omit<DeathsJob, 'lane' | 'birth'>) {
    this.#table = table
    this.#job = job
    this.#coroner = new Coroner(table.handle)
    for (let lane = 0; lane < LANES; lane++) this.hire(lane)
  }

  hire(lane: number): void {
    const { lanes } = this.#job
    for (const cell of [Lane.State, Lane.Fuse, Lane.Parked, Lane.Deed]) Atomics.store(lanes, laneAt(lane, cell), 0)
    const birth = ++this.#births
    const workerData: CrewData<DeathsJob> = {
      handle: this.#table.handle,
      number: lane,
      job: { ...this.#job, lane, birth },
    }
    const worker = new Worker(file, { workerData })
    const { threadId } = worker
    // Before the table hears of it, and repairs.
    const died = new Promise<Finding>((resolve) => worker.once('exit', () => resolve(this.#coroner.examine(threadId))))
    worker.on('message', (text: string) => void (text === 'done' || this.told.push(text)))
    worker.on('error', (error) => this.told.push(`lane ${lane}: ${error.stack ?? error}`))
    this.#table.adopt(worker)
    this.#members[lane] = { worker, birth, threadId, died }
  }

  /** Ends the lane's thread wherever it is. When this resolves, what it held is repaired and free. */
  async kill(lane: number): Promise<Death> {
    const { worker, birth, threadId, died } = this.#members[lane]!
    await worker.terminate()
    const finding = await died
    Atomics.store(this.#job.lanes, laneAt(lane, Lane.State), LaneState.Absent)
    await until(`the locks of dead thread ${birth} are free`, () => this.#coroner.isBuried(threadId))
    const left = this.#coroner.examine(threadId)
    if (left.stripes > 0 || left.pool) this.told.push(`dead thread ${birth} still holds ${JSON.stringify(left)}`)
    return { ...finding, lane, birth, deed: DEEDS[this.cell(lane, Lane.Deed)]! }
  }

  /** Lets the lane's thread live for so many more writes to shared memory, and waits until it stands still there. */
  async park(lane: number, writes: number): Promise<void> {
    Atomics.store(this.#job.lanes, laneAt(lane, Lane.Fuse), writes)
    await until(`lane ${lane} has burned its fuse`, () => this.cell(lane, Lane.Parked) === 1)
  }

  /** Until the thread has done so many more operations. */
  async watch(lane: number, operations: number): Promise<void> {
    const goal = this.cell(lane, Lane.Operations) + operations
    await until(`lane ${lane} goes on`, () => this.cell(lane, Lane.Operations) >= goal)
  }

  /** Nobody is kept from his work by another's death. */
  async watchSurvivors(): Promise<void> {
    for (const lane of SURVIVORS) await this.watch(lane, 1)
  }

  /** All threads rest between operations until `resume`; one that is just starting will. */
  async pause(): Promise<void> {
    Atomics.store(this.#job.cells, Cell.Pause, 1)
    for (let lane = 0; lane < LANES; lane++)
      await until(`lane ${lane} rests`, () => this.cell(lane, Lane.State) !== LaneState.Running)
  }

  /** During a pause: until the lane's new thread has started. */
  async rests(lane: number): Promise<void> {
    await until(`lane ${lane} starts`, () => this.cell(lane, Lane.State) === LaneState.Resting)
  }

  resume(): void {
    Atomics.store(this.#job.cells, Cell.Pause, 0)
    Atomics.notify(this.#job.cells, Cell.Pause)
  }

  /** Everybody has his turn at what he waits for, and ends by himself. */
  async stop(): Promise<void> {
    Atomics.store(this.#job.cells, Cell.Stop, 1)
    let ended = 0
    for (const { died } of this.#members) void died.then(() => ended++)
    await until('all threads come to their end', () => ended === this.#members.length)
  }

  /** Whatever is left, after a failure. */
  async abandon(): Promise<void> {
    await Promise.all(this.#members.map(({ worker }) => worker.terminate()))
  }

  sum(cell: number): number {
    let sum = 0
    for (let lane = 0; lane < LANES; lane++) sum += this.cell(lane, cell)
    return sum
  }

  cell(lane: number, cell: number): number {
    return Atomics.load(this.#job.lanes, laneAt(lane, cell))
  }
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + HANG_MS
  while (!isSo()) {
    if (performance.now() > giveUpAt) throw new Error(`never: ${what}`)
    await delay(1)
  }
}
