/**
 * One client. Bytes come in, requests are answered in order, replies leave in batches.
 *
 * Three things make it stop in the middle of what it has read: the client does not read (`blocked`), it has had
 * its turn (`queued`), or the answer is being made elsewhere (`waiting`). While any of them holds it reads no more,
 * so what it keeps is bounded: one read, one batch of replies, one value.
 */
import { ascii } from '../protocol/index.js'
import type { Bindings, Bytes, WaitEnd } from '../store/index.js'
import { Backlog } from './backlog.js'
import type { WorkerContext } from './context.js'
import { type Dialect, FLUSH_BYTES, type Flow, type Slices } from './dialect.js'
import type { CloseReason } from './events.js'
import { Metric } from './metrics.js'
import { Negotiation } from './negotiation.js'
import type { Parked } from './parked.js'
import { HEADROOM, READ_BYTES, type Transport, type TransportEvents } from './transport.js'
import type { Turn } from './turn-queue.js'
import { WATCHING, type Watcher } from './watchers.js'

/** Of a turn's requests: sending that much keeps others waiting about as long as so many small requests. */
const TURN_COST_OF_FLUSH = 128
/** Behind a request that waits in a queue the client is still listened to, lest its end go unnoticed; but not for ever. */
const LISTEN_BYTES = 65_536
/** The output buffer shrinks to its first size when one huge value has made it larger than this. */
const KEPT_OUTPUT_BYTES = 2_097_152

export class Connection implements TransportEvents, Turn, Flow {
  readonly #context: WorkerContext
  readonly #transport: Transport
  readonly #backlog = new Backlog()
  #dialect: Dialect
  /** Requests that may still be answered in this turn. */
  #left = 0
  #blocked = false
  #queued = false
  #waiting = false
  #turnOver = false
  /** The client will send no more, or is not listened to any more. */
  #ended = false
  #closing = false
  #walk: Slices | undefined
  #parked: Parked | undefined
  #bindings: Bindings | undefined
  /** Writes an answer that came while the client took nothing. */
  #late: (() => void) | undefined
  #watcher: Watcher | undefined
  #reason: CloseReason = 'normal'
  /** In the context's seconds. */
  lastActive: number

  constructor(context: WorkerContext, transport: Transport) {
    this.#context = context
    this.#transport = transport
    this.#dialect = new Negotiation(context, this)
    this.lastActive = context.seconds
  }

  start(): void {
    this.#context.opened(this)
    this.#transport.start(this)
  }

  received(length: number): void {
    const { input, metrics, seconds } = this.#context
    this.lastActive = seconds
    metrics.add(Metric.BytesRead, length)
    // Who watches has said all that it had to say.
    if (this.#watcher) return
    if (this.#parked) {
      this.#backlog.append(input.u8, HEADROOM, HEADROOM + length)
      this.#listen()
      return
    }
    const backlog = this.#backlog
    const kept = backlog.length
    if (kept === 0) {
      this.#feed(input, HEADROOM, HEADROOM + length)
    } else if (kept <= HEADROOM && kept + length >= this.#dialect.needed) {
      input.u8.set(backlog.bytes.u8.subarray(0, kept), HEADROOM - kept)
      backlog.consume(kept)
      this.#feed(input, HEADROOM - kept, HEADROOM + length)
    } else {
      backlog.append(input.u8, HEADROOM, HEADROOM + length)
      if (backlog.length >= this.#dialect.needed) this.#feedBacklog()
    }
    // A full buffer means that there is more, and libuv would hand it over before anybody else's.
    if (length === READ_BYTES && !this.#isStopped()) this.#queue()
  }

  #isStopped(): boolean {
    return this.#blocked || this.#queued || this.#waiting || this.#closing
  }

  #feed(bytes: Bytes, start: number, end: number): void {
    const at = this.#answer(bytes, start, end)
    if (at < end && !this.#closing) this.#backlog.append(bytes.u8, at, end)
    this.#settle()
  }

  #feedBacklog(): void {
    const { bytes, length } = this.#backlog
    const at = this.#answer(bytes, 0, length)
    this.#backlog.consume(this.#closing ? length : at)
    this.#settle()
  }

  /** Sends the batch, and decides what happens next. */
  #settle(): void {
    if (!this.#blocked) this.#flush()
    if (this.#closing) this.#transport.end()
    else if (this.#parked && !this.#blocked) this.#listen()
    else if (this.#blocked || this.#waiting) this.#transport.pause()
    else if (this.#turnOver || this.#walk) this.#queue()
    else if (this.#ended) this.#finish()
  }

  #listen(): void {
    if (this.#backlog.length < LISTEN_BYTES) this.#transport.resume()
    else this.#transport.pause()
  }

  #queue(): void {
    this.#turnOver = false
    this.#queued = true
    this.#transport.pause()
    this.#context.metrics.add(Metric.ConnYields, 1)
    this.#context.turns.add(this)
  }

  /** It has asked to be told what happens: from now on it only listens. */
  watch(kinds: number): void {
    const { watchers, main } = this.#context
    const watcher = watchers.add(kinds, () => this.#tell())
    this.#waiting = true
    void main.watch(watcher).then((reply) => this.#watched(watcher, reply))
  }

  #watched(watcher: Watcher, answer: string): void {
    this.#waiting = false
    const listens = answer === WATCHING && !this.#closing
    if (!listens) this.#context.watchers.remove(watcher)
    if (this.#closing) return
    this.#context.out.string(answer)
    if (!listens) {
      this.#goOn()
      return
    }
    this.#watcher = watcher
    this.#backlog.consume(this.#backlog.length)
    this.#settle()
    if (!this.#isStopped()) this.#transport.resume()
    this.#tell()
  }

  get watches(): boolean {
    return this.#watcher !== undefined
  }

  /** Sends what the watcher has, unless the client has not taken what was sent before. */
  #tell(): void {
    if (this.#blocked || this.#closing || this.#watcher === undefined) return
    const bytes = ascii(this.#watcher.take())
    if (bytes.length === 0) return
    this.#context.metrics.add(Metric.BytesWritten, bytes.length)
    this.#blocked = !this.#transport.write(bytes, bytes.length)
  }

  takeTurn(): void {
    this.#queued = false
    if (!this.#isStopped()) this.#goOn()
  }

  drained(): void {
    this.#blocked = false
    this.#tell()
    const late = this.#late
    this.#late = undefined
    if (late) this.#answered(late)
    else if (this.#parked) this.#settle()
    else if (!this.#isStopped()) this.#goOn()
  }

  /** Takes up what was left when it stopped, then reads again. */
  #goOn(): void {
    if (this.#walk) this.#walkOn(this.#walk)
    if (!this.#walk && !this.#blocked && this.#backlog.length > 0 && this.#backlog.length >= this.#dialect.needed) {
      this.#feedBacklog()
    } else {
      this.#settle()
    }
    if (!this.#isStopped() && !this.#ended) this.#transport.resume()
  }

  #walkOn(walk: Slices): void {
    if (walk.step()) this.#walk = undefined
  }

  /** Answers requests from `start` on. Where it stopped. */
  #answer(bytes: Bytes, start: number, end: number): number {
    this.#left = this.#context.settings.requestsPerTurn
    this.#context.begin(this)
    let at = start
    let dialect: Dialect
    do {
      dialect = this.#dialect
      at = dialect.answer(bytes, at, end)
    } while (dialect !== this.#dialect)
    return at
  }

  mayAnswer(): boolean {
    if (this.#context.out.length >= FLUSH_BYTES) {
      if (!this.#flush()) return false
      this.#left -= TURN_COST_OF_FLUSH
    }
    if (--this.#left >= 0) return true
    this.#turnOver = true
    return false
  }

  endTurn(): void {
    this.#left = 0
  }

  speak(dialect: Dialect): void {
    this.#dialect = dialect
  }

  walk(slices: Slices): void {
    this.#walk = slices
  }

  close(): void {
    this.#closing = true
  }

  #flush(): boolean {
    const { out, metrics } = this.#context
    if (out.length === 0) return true
    metrics.add(Metric.BytesWritten, out.length)
    this.#dialect.sent()
    if (this.#transport.write(out.u8, out.length)) {
      out.clear(KEPT_OUTPUT_BYTES)
      return !this.#closing
    }
    out.detach()
    this.#blocked = true
    return false
  }

  wait<T>(answer: Promise<T>, write: (answer: T) => void): void {
    this.#waiting = true
    void answer.then((result) => this.#answered(() => write(result)))
  }

  /** The answer that was waited for is there. It is written once the client takes what was written before. */
  #answered(write: () => void): void {
    if (this.#closing) return
    if (this.#blocked) {
      this.#late = write
      return
    }
    this.#waiting = false
    write()
    this.#goOn()
  }

  park(parked: Parked): void {
    this.#parked = parked
    this.#waiting = true
  }

  waited(parked: Parked, end: WaitEnd): void {
    if (this.#parked !== parked) return
    this.#parked = undefined
    this.lastActive = this.#context.seconds
    // Before the answer is written, which may have to wait, or never be.
    if (end.status === 'granted' && parked.binding !== 0) this.bindings.keep(parked.binding)
    this.#answered(() => {
      this.#context.begin(this)
      this.#context.executor.finish(parked, end)
    })
  }

  /** What it was granted in the meantime is given back. */
  #leaveQueue(status: WaitEnd['status']): void {
    const parked = this.#parked
    if (parked === undefined) return
    parked.wait?.abandon()
    this.waited(parked, { status, cas: 0n, waitedMs: 0 })
  }

  get isParked(): boolean {
    return this.#parked !== undefined
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  get bindings(): Bindings {
    this.#bindings ??= this.#context.table.newBindings()
    return this.#bindings
  }

  ended(): void {
    this.#ended = true
    if (this.#parked) this.#leaveQueue('timed-out')
    else if (!this.#isStopped() && !this.#walk) this.#finish()
  }

  /** Answers what has been read, then closes. */
  finishSoon(): void {
    this.#transport.pause()
    this.#ended = true
    this.#leaveQueue('closed')
    this.ended()
  }

  #finish(): void {
    this.#closing = true
    this.#transport.end()
  }

  closed(): void {
    this.#closing = true
    this.#parked?.wait?.abandon()
    this.#parked = undefined
    this.#bindings?.release()
    this.#walk = undefined
    this.#backlog.consume(this.#backlog.length)
    if (this.#watcher) this.#context.watchers.remove(this.#watcher)
    this.#context.closed(this, this.#reason)
  }

  destroy(reason: CloseReason): void {
    this.#reason = reason
    this.#transport.destroy()
  }

  get transport(): Transport {
    return this.#transport
  }

  describe(): { peer: string; state: string } {
    return { peer: this.#transport.describePeer(), state: this.#state() }
  }

  #state(): string {
    if (this.#watcher) return 'conn_watch'
    if (this.#blocked) return 'conn_mwrite'
    return this.#waiting ? 'conn_parse_cmd' : 'conn_read'
  }
}
