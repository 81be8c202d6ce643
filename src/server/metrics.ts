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
  CmdMeta: 9,
  CmdFlush: 10,
  /** Events that a thread has told, or had no room for. */
  LogWorkerWritten: 11,
  LogWorkerDropped: 12,
  /** Lines for watchers, and those that a watcher was too slow for. */
  LogWatcherSent: 13,
  LogWatcherSkipped: 14,
  /** Tries to authenticate, in either protocol, and those that failed. */
  AuthCmds: 15,
  AuthErrors: 16,
  SslHandshakeErrors: 17,
  /** Handshakes that resumed no session of before. */
  SslNewSessions: 18,
} as const
export type Metric = (typeof Metric)[keyof typeof Metric]

const COLUMNS = 32
const ROW_BYTES = COLUMNS * Float64Array.BYTES_PER_ELEMENT

/** Cells that any thread may write, atomically. */
export const Cell = {
  /** Open client connections of all threads, for the limit `-c`. */
  Connections: 0,
  Verbosity: 1,
  /** 1 while new connections are taken. */
  Accepting: 2,
  /** 1 while keys are counted by prefix. */
  Detail: 3,
  /** The kinds of events that somebody watches for. */
  Watched: 4,
  Watchers: 5,
  /** When certificates and passwords were last read, in seconds since the start. */
  SecretsReadAt: 6,
} as const

/** Bytes. Behind the cells the number of the last event. */
const CELLS_BYTES = 64
const LAST_EVENT_AT = 56

export interface MetricsHandle {
  readonly rows: SharedArrayBuffer
  readonly cells: SharedArrayBuffer
}

export class Metrics {
  readonly handle: MetricsHandle
  readonly cells: Int32Array
  /** A row a thread. */
  readonly #all: Float64Array
  /** This thread's row. */
  readonly #own: Float64Array
  /** What the sums were at the last reset. */
  readonly #baseline: Float64Array
  readonly #lastEvent: BigUint64Array

  private constructor(handle: MetricsHandle, row: number) {
    this.handle = handle
    this.cells = new Int32Array(handle.cells)
    this.#lastEvent = new BigUint64Array(handle.cells, LAST_EVENT_AT, 1)
    const rows = handle.rows.byteLength / ROW_BYTES
    this.#all = new Float64Array(handle.rows, 0, (rows - 1) * COLUMNS)
    this.#own = new Float64Array(handle.rows, row * ROW_BYTES, COLUMNS)
    this.#baseline = new Float64Array(handle.rows, (rows - 1) * ROW_BYTES, COLUMNS)
  }

  /** Row 0 is the main thread's; workers have 1 to `threads`. The one behind them is the baseline. */
  static create(threads: number): Metrics {
    const rows = new SharedArrayBuffer((threads + 2) * ROW_BYTES)
    return new Metrics({ rows, cells: new SharedArrayBuffer(CELLS_BYTES) }, 0)
  }

  static attach(handle: MetricsHandle, row: number): Metrics {
    return new Metrics(handle, row)
  }

  add(metric: Metric, amount: number): void {
    this.#own[metric] += amount
  }

  /** Numbers events in order, over all threads. */
  nextEvent(): bigint {
    return Atomics.add(this.#lastEvent, 0, 1n) + 1n
  }

  /** Over all threads, since the last reset. */
  sum(metric: Metric): number {
    return this.#total(metric) - this.#baseline[metric]
  }

  #total(metric: Metric): number {
    let total = 0
    for (let at = metric; at < this.#all.length; at += COLUMNS) total += this.#all[at]
    return total
  }

  /** A worker died: its connections died with it. */
  forgetConnections(row: number): void {
    this.#all[row * COLUMNS + Metric.CurrConnections] = 0
    Atomics.store(this.cells, Cell.Connections, this.sum(Metric.CurrConnections))
  }

  /** `stats reset`: what counts up starts again; what is open now stays. Rows are left to the threads that write them. */
  reset(): void {
    for (const metric of Object.values(Metric)) {
      if (metric !== Metric.CurrConnections) this.#baseline[metric] = this.#total(metric)
    }
  }
}
