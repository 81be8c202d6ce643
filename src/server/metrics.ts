/**
 * The server's own counters, in shared memory: one row of doubles a thread, written by its owner alone, so that
 * counting costs a plain addition. Who reads them sums the rows; a row may lag by a moment, never be torn.
 */

/** Columns of a row. */
export const Metric = {
  BytesRead: 0,
  BytesWritten: 1,
  CurrConnections: 2,
  TotalConnections: 3,
  RejectedConnections: 4,
  ConnYields: 5,
  IdleKicks: 6,
  /** Requests answered with SERVER_ERROR because something threw. */
  InternalErrors: 7,
  CmdSet: 8,
  CmdMeta: 9,
  CmdFlush: 10,
} as const
export type Metric = (typeof Metric)[keyof typeof Metric]

const COLUMNS = 16

/** Cells that any thread may write, atomically. */
export const Cell = {
  /** Open client connections of all threads, for the limit `-c`. */
  Connections: 0,
  Verbosity: 1,
  /** 1 while new connections are taken. */
  Accepting: 2,
  /** 1 while keys are counted by prefix. */
  Detail: 3,
} as const

export interface MetricsHandle {
  readonly rows: SharedArrayBuffer
  readonly cells: SharedArrayBuffer
}

export class Metrics {
  readonly handle: MetricsHandle
  readonly cells: Int32Array
  readonly #all: Float64Array
  /** This thread's row. */
  readonly #own: Float64Array

  private constructor(handle: MetricsHandle, row: number) {
    this.handle = handle
    this.cells = new Int32Array(handle.cells)
    this.#all = new Float64Array(handle.rows)
    this.#own = new Float64Array(handle.rows, row * COLUMNS * 8, COLUMNS)
  }

  /** Row 0 is the main thread's; workers have 1 to `threads`. */
  static create(threads: number): Metrics {
    const rows = new SharedArrayBuffer((threads + 1) * COLUMNS * 8)
    return new Metrics({ rows, cells: new SharedArrayBuffer(64) }, 0)
  }

  static attach(handle: MetricsHandle, row: number): Metrics {
    return new Metrics(handle, row)
  }

  add(metric: Metric, amount: number): void {
    this.#own[metric] += amount
  }

  sum(metric: Metric): number {
    let sum = 0
    for (let at = metric; at < this.#all.length; at += COLUMNS) sum += this.#all[at]
    return sum
  }

  /** Of one thread, by its row. */
  of(row: number, metric: Metric): number {
    return this.#all[row * COLUMNS + metric]
  }

  /** A worker died: its connections died with it. */
  forgetConnections(row: number): void {
    this.#all[row * COLUMNS + Metric.CurrConnections] = 0
    Atomics.store(this.cells, Cell.Connections, this.sum(Metric.CurrConnections))
  }

  /** `stats reset`: what counts up starts again; what is open now stays. */
  reset(): void {
    for (let at = 0; at < this.#all.length; at++) {
      if (at % COLUMNS !== Metric.CurrConnections) this.#all[at] = 0
    }
  }
}
