/** What the connections of one worker thread share. */
import { Output } from '../protocol/index.js'
import { Bytes, type Table } from '../store/index.js'
import type { Credentials } from './auth/credentials.js'
import type { Connection } from './connection.js'
import { type CloseReason, EventLog } from './events.js'
import { Executor } from './execute.js'
import { BinaryExecutor } from './execute-binary.js'
import type { FromWorker } from './messages.js'
import { Cell, Metric, type Metrics } from './metrics.js'
import type { Settings } from './options.js'
import { PrefixCounts } from './prefixes.js'
import { HEADROOM, READ_BYTES, type ReadBuffer } from './transport.js'
import { TurnQueue } from './turn-queue.js'
import { WatchedTable } from './watched-table.js'
import { type Watcher, Watchers } from './watchers.js'

const OUTPUT_BYTES = 65_536

export class WorkerContext {
  readonly connections = new Set<Connection>()
  readonly out = new Output(OUTPUT_BYTES)
  readonly input: Bytes & ReadBuffer
  readonly prefixes: PrefixCounts
  readonly executor: Executor
  readonly binaryExecutor: BinaryExecutor
  readonly turns = new TurnQueue()
  readonly events: EventLog
  readonly watchers: Watchers
  /** Undefined: nobody has to authenticate. */
  credentials: Credentials | undefined
  readonly #watchedTable: WatchedTable
  /** The kinds of events that the executor tells of. */
  #watched = 0
  /** Seconds since start, kept by a timer: good enough for idle times, and free. */
  seconds = 0

  constructor(
    readonly table: Table,
    readonly settings: Settings,
    readonly metrics: Metrics,
    readonly main: MainThread,
  ) {
    this.prefixes = new PrefixCounts(settings.prefixDelimiter)
    this.executor = new Executor(table, this.out, metrics, this.prefixes)
    this.binaryExecutor = new BinaryExecutor(table, this.out, metrics, this.prefixes)
    this.events = new EventLog(metrics, (bundle) => main.send({ kind: 'events', bundle }))
    this.watchers = new Watchers(metrics, main.send)
    this.#watchedTable = new WatchedTable(table, this.events)
    const bytes = Bytes.allocate(HEADROOM + READ_BYTES)
    this.input = Object.assign(bytes, { landing: bytes.u8.subarray(HEADROOM) })
  }

  /** A batch of a client's requests begins. */
  begin(client: Connection): void {
    this.table.tick()
    this.events.client = client.transport
    this.executor.client = client
    const watched = this.metrics.cells[Cell.Watched]
    if (watched !== this.#watched) this.#watch(watched)
  }

  #watch(kinds: number): void {
    this.#watched = kinds
    const table = this.#watchedTable.tableFor(kinds)
    this.executor.use(table)
    this.binaryExecutor.use(table)
  }

  opened(connection: Connection): void {
    this.connections.add(connection)
    this.metrics.add(Metric.CurrConnections, 1)
    this.metrics.add(Metric.TotalConnections, 1)
    this.events.connected(connection.transport)
  }

  closed(connection: Connection, reason: CloseReason): void {
    if (!this.connections.delete(connection)) return
    this.metrics.add(Metric.CurrConnections, -1)
    Atomics.sub(this.metrics.cells, Cell.Connections, 1)
    this.events.disconnected(connection.transport, reason)
  }
}

/** The way to the main thread. */
export interface MainThread {
  readonly send: (message: FromWorker) => void
  /** Asks for what only all threads together can tell. */
  readonly ask: (question: Question) => Promise<string>
  /** Has certificates and passwords read again. What went wrong, or nothing. */
  readonly refresh: () => Promise<string>
  /** Has a watcher told what happens on all threads. The reply to its client. */
  readonly watch: (watcher: Watcher) => Promise<string>
}

/** What only all threads together can tell. */
export type Question = 'conns' | 'prefixes' | 'forget prefixes'
