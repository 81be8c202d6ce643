/**
 * Who is told what happens. Every thread's events go to the main thread, which knows whose clients watch for what, and
 * passes them on to the threads that serve those; there each watcher has a buffer. Everything on the way is bounded:
 * what does not fit is dropped, and the watcher is told how much, as memcached does, by a line `skipped=<n>`.
 */
import type { EventBundle } from './events.js'
import type { FromWorker, ToWorker } from './messages.js'
import { Cell, Metric, type Metrics } from './metrics.js'

/** Over all threads, as in memcached. */
const WATCHERS_MAX = 20
/** What waits for a client that does not read. Bytes, besides as many on their way to it. */
export const WATCHER_BYTES = 262_144
/** Bundles on their way to one thread, before more are skipped. */
const UNTOLD_MAX = 8

/** The reply to a client from which on it watches. */
export const WATCHING = 'OK\r\n'
const TOO_MANY = 'WATCHER_TOO_MANY log watcher limit reached\r\n'

/** One client's share of the events. */
export class Watcher {
  /** What is to be sent next. */
  #text = ''
  #skipped = 0

  constructor(
    readonly id: number,
    readonly kinds: number,
    readonly metrics: Metrics,
    /** Called when there is something to take. */
    readonly wake: () => void,
  ) {}

  tell(kinds: readonly number[], lines: readonly string[], skipped: number): void {
    this.#skip(skipped)
    for (let i = 0; i < lines.length; i++) if ((kinds[i] & this.kinds) !== 0) this.#line(lines[i])
    if (this.#text !== '') this.wake()
  }

  #line(line: string): void {
    if (this.#text.length >= WATCHER_BYTES) {
      this.#skip(1)
      return
    }
    if (this.#skipped > 0) this.#text += `skipped=${this.#skipped}\n`
    this.#skipped = 0
    this.#text += line
    this.metrics.add(Metric.LogWatcherSent, 1)
  }

  #skip(count: number): void {
    this.#skipped += count
    this.metrics.add(Metric.LogWatcherSkipped, count)
  }

  take(): string {
    const text = this.#text
    this.#text = ''
    return text
  }
}

/** The watchers of one worker thread. */
export class Watchers {
  readonly #metrics: Metrics
  readonly #send: (message: FromWorker) => void
  readonly #watchers = new Map<number, Watcher>()
  #lastId = 0

  constructor(metrics: Metrics, send: (message: FromWorker) => void) {
    this.#metrics = metrics
    this.#send = send
  }

  /** A watcher that is told everything from the moment on at which the main thread says so. */
  add(kinds: number, wake: () => void): Watcher {
    const watcher = new Watcher(++this.#lastId, kinds, this.#metrics, wake)
    this.#watchers.set(watcher.id, watcher)
    return watcher
  }

  remove({ id }: Watcher): void {
    if (this.#watchers.delete(id)) this.#send({ kind: 'unwatch', watcher: id })
  }

  tell({ kinds, lines }: EventBundle, skipped: number): void {
    for (const watcher of this.#watchers.values()) watcher.tell(kinds, lines, skipped)
    this.#send({ kind: 'told' })
  }
}

interface Row {
  /** What each watcher wants. */
  readonly watchers: Map<number, number>
  untold: number
  skipped: number
}

/** On the main thread: which thread's clients want what. */
export class WatchDesk {
  readonly #metrics: Metrics
  readonly #tell: (row: number, message: ToWorker) => void
  readonly #rows = new Map<number, Row>()

  constructor(metrics: Metrics, tell: (row: number, message: ToWorker) => void) {
    this.#metrics = metrics
    this.#tell = tell
  }

  /** The reply to the client. */
  add(row: number, watcher: number, kinds: number): string {
    if (this.#metrics.cells[Cell.Watchers] >= WATCHERS_MAX) return TOO_MANY
    const known = this.#rows.get(row) ?? { watchers: new Map(), untold: 0, skipped: 0 }
    known.watchers.set(watcher, kinds)
    this.#rows.set(row, known)
    this.#publish()
    return WATCHING
  }

  remove(row: number, watcher: number): void {
    this.#rows.get(row)?.watchers.delete(watcher)
    this.#publish()
  }

  /** The thread has ended, and its clients with it. */
  forget(row: number): void {
    this.#rows.delete(row)
    this.#publish()
  }

  /** Passes a bundle on to whoever wants some of it. */
  hear({ kinds, lines }: EventBundle): void {
    for (const [number, row] of this.#rows) {
      const wanted = kindsOf(row)
      const matching = kinds.reduce((count, kind) => ((kind & wanted) === 0 ? count : count + 1), 0)
      if (matching === 0) continue
      if (row.untold >= UNTOLD_MAX) {
        row.skipped += matching
        continue
      }
      row.untold++
      this.#tell(number, { kind: 'events', bundle: { kinds, lines }, skipped: row.skipped })
      row.skipped = 0
    }
  }

  /** A thread has taken a bundle. */
  told(row: number): void {
    const known = this.#rows.get(row)
    if (known !== undefined) known.untold--
  }

  #publish(): void {
    let kinds = 0
    let count = 0
    for (const row of this.#rows.values()) {
      kinds |= kindsOf(row)
      count += row.watchers.size
    }
    Atomics.store(this.#metrics.cells, Cell.Watchers, count)
    Atomics.store(this.#metrics.cells, Cell.Watched, kinds)
  }
}

function kindsOf({ watchers }: Row): number {
  let kinds = 0
  for (const wanted of watchers.values()) kinds |= wanted
  return kinds
}
