/**
 * The table as the executor uses it while somebody watches: each operation is done by the table, and told. In its place
 * the table itself is used again as soon as nobody watches any more.
 */
import {
  type ArithmeticOptions,
  Bytes,
  type ItemReader,
  type ItemView,
  type Key,
  Outcome,
  type ReadOptions,
  type RemoveOptions,
  sizeClassOf,
  type Table,
  type Wait,
  type WaitEnd,
  WriteMode,
  type WriteOptions,
} from '../store/index.js'
import { EventKind, type EventLog } from './events.js'

/** What an executor needs of a table, and besides what only the log is told. */
export interface ItemTable extends Pick<Table, 'read' | 'write' | 'addOrWait' | 'arithmetic'> {
  /** `length` is that of the value, in bytes. */
  refuseTooLarge(key: Key, options: WriteOptions, length: number): void
  /** `command` is the one that it came with. */
  remove(key: Key, options: RemoveOptions, reader: ItemReader | undefined, command: string): Outcome
}

/** By `Outcome`, as memcached names them. */
const STATUSES = [
  'stored',
  'not_stored',
  'exists',
  'not_found',
  'too_large',
  'no_memory',
  'non_numeric',
  'too_large',
  'no_memory',
]
/** By `WriteMode`. */
const COMMANDS = ['set', 'add', 'replace', 'append', 'prepend']

/** Sees what a reader is shown, and keeps what the log tells of it. */
class Tap implements ItemReader {
  inner: ItemReader | undefined
  sizeClass = 0
  valueLength = 0
  ttlMs = 0

  /** Puts itself before a reader, for one operation. */
  before(reader: ItemReader | undefined): this {
    this.inner = reader
    this.sizeClass = 0
    this.valueLength = 0
    return this
  }

  item(view: ItemView): void {
    this.sizeClass = sizeClassOf(view.size)
    this.valueLength = view.valueLength
    this.ttlMs = view.ttlMs
    this.inner?.item(view)
  }
}

export class WatchedTable implements ItemTable {
  readonly #table: Table
  readonly #log: EventLog
  readonly #tap = new Tap()
  readonly #evictedKey = Bytes.allocate(256)
  #wanted = 0

  constructor(table: Table, log: EventLog) {
    this.#table = table
    this.#log = log
  }

  /** The table for the executor to use while these kinds of events are wanted. */
  tableFor(wanted: number): ItemTable {
    this.#wanted = wanted
    this.#table.onEviction(this.#wants(EventKind.evictions) ? this.#evicted : undefined)
    return wanted === 0 ? this.#table : this
  }

  #wants(kind: number): boolean {
    return (this.#wanted & kind) !== 0
  }

  read(key: Key, options: ReadOptions, reader?: ItemReader): boolean {
    if (options.peek || !this.#wants(EventKind.fetchers)) return this.#table.read(key, options, reader)
    const tap = this.#tap.before(reader)
    this.#table.vivified = false
    // A touch shows its item to nobody, and is counted as no read.
    const found = this.#table.read(key, options, reader === undefined ? undefined : tap) && !this.#table.vivified
    this.#log.itemGet(key.toBytes(), found, tap.sizeClass, tap.valueLength)
    return found || this.#table.vivified
  }

  write(key: Key, value: Bytes, start: number, length: number, options: WriteOptions, reader?: ItemReader): Outcome {
    if (!this.#wants(EventKind.mutations)) return this.#table.write(key, value, start, length, options, reader)
    const tap = this.#tap.before(reader)
    const outcome = this.#table.write(key, value, start, length, options, tap)
    if (outcome === Outcome.Done) this.#stored(key, commandOf(options))
    else this.#refused(key, outcome, options, length)
    return outcome
  }

  /** What is stored at once is told as any add; what is handed over later is not. */
  addOrWait(
    key: Key,
    value: Bytes,
    start: number,
    length: number,
    options: WriteOptions,
    waitMs: number,
    settle: (end: WaitEnd) => void,
    reader?: ItemReader,
  ): Outcome | Wait {
    if (!this.#wants(EventKind.mutations))
      return this.#table.addOrWait(key, value, start, length, options, waitMs, settle, reader)
    const tap = this.#tap.before(reader)
    const outcome = this.#table.addOrWait(key, value, start, length, options, waitMs, settle, tap)
    if (outcome === Outcome.Done) this.#stored(key, commandOf(options))
    else if (typeof outcome === 'number') this.#refused(key, outcome, options, length)
    return outcome
  }

  refuseTooLarge(key: Key, options: WriteOptions, length: number): void {
    this.#table.refuseTooLarge(key, options)
    if (this.#wants(EventKind.mutations)) this.#refused(key, Outcome.TooLarge, options, length)
  }

  #stored(key: Key, command: string): void {
    const { ttlMs, sizeClass, valueLength } = this.#tap
    // What is over already is told as such; 0 says for ever.
    const ttl = ttlMs < 0 ? 0 : ttlMs === 0 ? -1 : Math.ceil(ttlMs / 1000)
    this.#log.itemStore(key.toBytes(), STATUSES[Outcome.Done], command, ttl, sizeClass, valueLength)
  }

  #refused(key: Key, outcome: Outcome, options: WriteOptions, length: number): void {
    const ttl = Math.ceil(options.ttlMs / 1000)
    this.#log.itemStore(key.toBytes(), STATUSES[outcome], commandOf(options), ttl, 0, length)
  }

  remove(key: Key, options: RemoveOptions, reader: ItemReader | undefined, command: string): Outcome {
    const gone = !options.invalidate && !options.dropValue
    if (!gone || !this.#wants(EventKind.deletions)) return this.#table.remove(key, options, reader)
    const tap = this.#tap.before(reader)
    const outcome = this.#table.remove(key, options, tap)
    if (outcome === Outcome.Done) this.#log.deleted(key.toBytes(), command, tap.sizeClass, tap.valueLength)
    return outcome
  }

  /** Counting is no mutation to memcached's log; making the missing number is. */
  arithmetic(key: Key, options: ArithmeticOptions, reader?: ItemReader): Outcome {
    if (!this.#wants(EventKind.mutations)) return this.#table.arithmetic(key, options, reader)
    this.#table.vivified = false
    const outcome = this.#table.arithmetic(key, options, this.#tap.before(reader))
    if (this.#table.vivified) this.#stored(key, COMMANDS[WriteMode.Add])
    return outcome
  }

  readonly #evicted: ItemReader = {
    item: (view) => {
      view.copyKey(this.#evictedKey, 0)
      const key = this.#evictedKey.u8.subarray(0, view.keyLength)
      const ttl = view.ttlMs < 0 ? -1 : Math.ceil(view.ttlMs / 1000)
      this.#log.eviction(key, view.fetched, ttl, view.idleSeconds, sizeClassOf(view.size), view.valueLength)
    },
  }
}

/** A store that compares tokens is a `cas`, whatever command it came with. */
function commandOf({ mode, compareCas }: WriteOptions): string {
  return mode === WriteMode.Set && compareCas !== undefined ? 'cas' : COMMANDS[mode]
}
