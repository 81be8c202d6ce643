/** What the connections of one worker thread share. */
import { Output } from '../protocol/index.js'
import { Bytes, type Table } from '../store/index.js'
import type { Connection } from './connection.js'
import { Executor } from './execute.js'
import { Cell, Metric, type Metrics } from './metrics.js'
import type { Settings } from './options.js'
import { HEADROOM, READ_BYTES, type ReadBuffer } from './transport.js'
import { TurnQueue } from './turn-queue.js'

const OUTPUT_BYTES = 65_536

export class WorkerContext {
  readonly connections = new Set<Connection>()
  readonly out = new Output(OUTPUT_BYTES)
  readonly input: Bytes & ReadBuffer
  readonly executor: Executor
  readonly turns = new TurnQueue()
  /** Seconds since start, kept by a timer: good enough for idle times, and free. */
  seconds = 0

  constructor(
    readonly table: Table,
    readonly settings: Settings,
    readonly metrics: Metrics,
    /** Asks the main thread for what only all threads together can tell. */
    readonly ask: (question: Question) => Promise<string>,
    /** Asks the main thread to stop the server. */
    readonly stop: () => void,
  ) {
    this.executor = new Executor(table, this.out, metrics)
    const bytes = Bytes.allocate(HEADROOM + READ_BYTES)
    this.input = Object.assign(bytes, { landing: bytes.u8.subarray(HEADROOM) })
  }

  opened(connection: Connection): void {
    this.connections.add(connection)
    this.metrics.add(Metric.CurrConnections, 1)
    this.metrics.add(Metric.TotalConnections, 1)
  }

  closed(connection: Connection): void {
    if (!this.connections.delete(connection)) return
    this.metrics.add(Metric.CurrConnections, -1)
    Atomics.sub(this.metrics.cells, Cell.Connections, 1)
  }
}

/** What only all threads together can tell. */
export type Question = 'conns' | 'prefixes' | 'forget prefixes'
