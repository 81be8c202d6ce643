/**
 * What the operations do to one key, its stripe being locked. Each either completes, or answers `NeedRoom` having
 * changed nothing that anybody can see; the table then makes room, unlocked, and asks again.
 */
import { Bytes } from './bytes.js'
import { ClassCounter, Counter } from './counters.js'
import { DIGITS_MAX, NUMBER_LENGTH_MAX, parseU64, U64_MAX, writeU64 } from './decimal.js'
import type { Engine } from './engine.js'
import { StoreStateError } from './errors.js'
import { isRenewalDue, registerEnd, takeRegisterKey } from './fences.js'
import type { HandOver, Succession } from './hand-over.js'
import { countExpired, sizeClass } from './items.js'
import type { Key } from './key.js'
import {
  GlobalDouble,
  Mark,
  Page,
  PageKind,
  Queue,
  type QueueName,
  State,
  Stripe,
  THREAD_SLOTS,
  UNIT_BYTES,
  VALUE_MAX,
} from './layout.js'
import { stripeOf } from './pages.js'
import type { PinnedPrefixes } from './pinned.js'
import { type Header, leadingUnits, RecordCursor, recordUnits } from './records.js'
import {
  type ArithmeticOptions,
  type ItemReader,
  Outcome,
  type ReadOptions,
  type RemoveOptions,
  WriteMode,
  type WriteOptions,
} from './types.js'
import { RecordView, type TokenSource } from './view.js'
import { WaiterState } from './waiter-layout.js'

export const Read = { Miss: 0, Hit: 1 } as const
/** The pool has run dry: make `pagesWanted` pages and ask again. No `Outcome` and no `Read` has this value. */
export const NeedRoom = -1
/** What an operation that answered `NeedRoom` wants instead of pages. */
export const Obstacle = {
  None: 0,
  /** The lease would outlast the horizon: raise that to `leaseEndMs`, and ask again. */
  Horizon: 1,
  /** Refused: the lease is longer than any may be. */
  Lease: 2,
  /** Refused: whoever held the lock before a restart may still believe so. */
  Grace: 3,
} as const
export type Obstacle = (typeof Obstacle)[keyof typeof Obstacle]
/** Decided to go on with a write; with `Stale` the new item is marked so. */
const Go = -2
const GoStale = -3

/** What a record is to look like before its value is filled in. */
interface Shape {
  valueLength: number
  expiresAtMs: number
  flags: number
  ownCas: bigint | undefined
  stale: boolean
}

export interface OperationsConfig {
  /** Most bytes of a record, header and key included. */
  readonly itemMax: number
  /** Most units that pinned records may take, over all stripes. */
  readonly pinnedUnitsMax: number
  readonly pinned: PinnedPrefixes
  /** Longest life of a pinned item that has an end. */
  readonly maxLeaseMs: number
}

/** A hundred thousand years: no clock gets there, and the sum with any time still fits a record. */
const TTL_MAX_MS = 2 ** 52
/** How long a thread that hands a lease over, with the stripe locked, waits for another that writes leases down. */
const STATE_WAIT_MS = 400
const NOTHING = Bytes.allocate(0)
/** What an item keeps when it changes without being stored anew. */
const CARRIED = State.Stale | State.TokenSent | State.Fetched

export class Operations implements Succession {
  readonly #engine: Engine
  readonly #config: OperationsConfig
  readonly #record: RecordCursor
  readonly #fresh: RecordCursor
  readonly #view: RecordView
  readonly #digits = Bytes.allocate(DIGITS_MAX + 4)
  readonly #shape: Shape = { valueLength: 0, expiresAtMs: 0, flags: 0, ownCas: undefined, stale: false }
  readonly #header: Header = {
    state: 0,
    sequenceHigh: 0,
    sequenceLow: 0,
    accessSeconds: 0,
    valueLength: 0,
    frequency: 0,
  }
  readonly handOver: HandOver
  /** The waiter that is to know the token of what is stored next, and in what state it is then; 0 for none. */
  #tokenFor = 0
  #tokenState: WaiterState = WaiterState.Bound
  /** What is handed over may use the last pages: it mostly takes the place of what has just gone. */
  #useReserve = false
  /** What is stored lives from no sooner than this on. 0 but while an item is handed over. */
  #bornFromMs = 0
  /** Units that this thread may add to the pinned items without looking again. */
  #pinnedAllowance = 0
  /** Of the fence that an operation looks at. */
  readonly #register: Key
  /** How many pages the operation that answered `NeedRoom` could use. */
  pagesWanted = 0
  /** What stood in its way, if it was not that; for the table to take away, and to set back. */
  obstacle: Obstacle = Obstacle.None
  leaseEndMs = 0
  /** Set when an operation makes a missing item; for those to clear who want to know. */
  vivified = false

  constructor(engine: Engine, config: OperationsConfig) {
    this.#engine = engine
    this.#config = config
    this.#record = engine.record
    this.#fresh = new RecordCursor(engine.memory)
    this.#view = this.#viewOn(engine.record)
    this.#register = engine.newKey()
    this.handOver = engine.succeedBy(this)
  }

  #viewOn(record: RecordCursor): RecordView {
    const engine = this.#engine
    const key = engine.newKey()
    const waitersOf = (of: RecordCursor) => {
      of.readKey(key)
      return engine.waiters.countLocked(key)
    }
    const tokens: TokenSource = {
      of: (of) => this.#tokenOf(of),
      copy: (of, target, at) => this.#copyToken(of, target, at),
    }
    return new RecordView(record, engine, tokens, waitersOf)
  }

  readLocked(stripe: number, key: Key, options: ReadOptions, reader: ItemReader | undefined): number {
    if (!this.#findLive(stripe, key)) {
      if (options.vivify && !this.#vivify(stripe, key, options, reader)) return NeedRoom
      this.#countRead(false, options, reader)
      return options.vivify ? Read.Hit : Read.Miss
    }
    const record = this.#record
    const view = this.#view
    if (options.touch) {
      view.expiredBeforeMs = record.expiresAtMs
      if (!this.#touch(stripe, key, this.#expiryOf(options.ttlMs))) return NeedRoom
    }
    view.won = this.#winsRecompute(record, options)
    reader?.item(view)
    if (view.won) record.state |= State.TokenSent
    if (!options.peek && !options.noBump) record.touchHit(this.#engine.coarseSeconds)
    this.#countRead(true, options, reader)
    return Read.Hit
  }

  writeLocked(
    stripe: number,
    key: Key,
    value: Bytes,
    start: number,
    length: number,
    options: WriteOptions,
    reader: ItemReader | undefined,
  ): number {
    if (this.#isTooLarge(key, length)) return this.refuseTooLargeLocked(stripe, key, options)
    const { fence } = options
    if (fence !== undefined && fence < this.#fenceOf(stripe, key)) return Outcome.Exists
    const exists = this.#findLive(stripe, key)
    const decision = this.#decideWrite(exists, options)
    if (decision !== Go && decision !== GoStale) return decision
    const adds = extendsValue(options.mode)
    if (exists && adds && this.#isTooLarge(key, this.#record.valueLength + length)) return Outcome.TooLarge
    if (!exists && (adds || options.mode === WriteMode.Add) && this.#inGrace(key)) return NeedRoom
    if (fence !== undefined) {
      const endsAtMs = exists && adds ? this.#record.expiresAtMs : this.#expiryOf(options.ttlMs)
      if (!this.#raiseFence(stripe, key, fence, endsAtMs)) return NeedRoom
    }
    if (exists && adds) return this.#extend(stripe, key, value, start, length, options, reader)

    const shape = this.#shape
    const stale = decision === GoStale
    const { state } = this.#record
    shape.valueLength = length
    shape.flags = options.flags
    shape.ownCas = options.newCas
    shape.stale = stale
    if (stale) shape.expiresAtMs = this.#record.expiresAtMs
    else shape.expiresAtMs = this.#expiryOf(adds ? options.vivifyTtlMs : options.ttlMs)
    if (!this.#begin(stripe, key, exists, true)) return NeedRoom
    this.#fresh.fillValue(value, start)
    this.#tokenFor = options.bindTo
    if (!this.#commit(stripe, key, exists)) return NeedRoom
    // Whoever was told to recompute the value still is: a second reader must not be.
    if (stale) this.#record.state |= state & State.TokenSent
    this.#countStored(exists && options.compareCas !== undefined)
    this.#show(reader)
    return Outcome.Done
  }

  /** For a value above the item limit. */
  refuseTooLargeLocked(stripe: number, key: Key, options: WriteOptions): Outcome {
    this.#engine.counters.add(Counter.storeTooLarge)
    if (this.#mustNotOutlive(key, options) && this.#findLive(stripe, key)) this.#unlink(stripe, key)
    return Outcome.TooLarge
  }

  /** After the last refusal for want of room. */
  giveUpWriteLocked(stripe: number, key: Key, length: number, options: WriteOptions): void {
    const { counters } = this.#engine
    counters.add(Counter.storeNoMemory)
    counters.addOfClass(ClassCounter.outofmemory, sizeClass(recordUnits(0, key.length, length)))
    if (this.#mustNotOutlive(key, options) && this.#findLive(stripe, key)) this.#unlink(stripe, key)
  }

  /**
   * As in memcached, a set that fails must not leave the value that it was to replace. A compare-and-swap or one with a
   * fence might not have replaced it, and a pinned item is never given up unasked.
   */
  #mustNotOutlive(key: Key, options: WriteOptions): boolean {
    const { mode, compareCas, fence } = options
    const unasked = mode === WriteMode.Set && compareCas === undefined && fence === undefined
    return unasked && !this.#config.pinned.isPinned(key)
  }

  removeLocked(stripe: number, key: Key, options: RemoveOptions, reader: ItemReader | undefined): number {
    const { counters } = this.#engine
    const record = this.#record
    const { fence } = options
    if (fence !== undefined && fence < this.#fenceOf(stripe, key)) return Outcome.Exists
    if (!this.#findLive(stripe, key)) {
      // That it is gone is what was wanted: an older write must not bring it back.
      if (fence !== undefined && !this.#raiseFence(stripe, key, fence, 0)) return NeedRoom
      counters.add(Counter.deleteMisses)
      return Outcome.NotFound
    }
    if (options.compareCas !== undefined && options.compareCas !== this.#tokenOf(record)) {
      counters.add(Counter.deleteMisses)
      return Outcome.Exists
    }
    if (fence !== undefined && !this.#raiseFence(stripe, key, fence, record.expiresAtMs)) return NeedRoom
    this.#show(reader)
    if (options.dropValue || options.invalidate) return this.#mark(stripe, key, options) ? Outcome.Done : NeedRoom
    this.#countOfItem(ClassCounter.deleteHits)
    this.#unlink(stripe, key)
    return Outcome.Done
  }

  arithmeticLocked(stripe: number, key: Key, options: ArithmeticOptions, reader: ItemReader | undefined): number {
    const record = this.#record
    if (!this.#findLive(stripe, key)) {
      if (options.vivify) return this.#vivifyNumber(stripe, key, options, reader)
      this.#engine.counters.add(options.decrement ? Counter.decrMisses : Counter.incrMisses)
      return Outcome.NotFound
    }
    const length = record.valueLength
    if (length === 0 || length > NUMBER_LENGTH_MAX) return Outcome.NonNumeric
    if (options.compareCas !== undefined && options.compareCas !== this.#tokenOf(record)) return Outcome.Exists
    const text = length > DIGITS_MAX ? Bytes.allocate(length) : this.#digits
    record.copyValue(text, 0)
    const before = parseU64(text, 0, length)
    if (before === undefined) return Outcome.NonNumeric
    const digits = writeU64(compute(before, options), text, 0)
    // A shorter number keeps the item's length, with spaces behind it, as memcached's does.
    text.u8.fill(0x20, digits, Math.max(digits, length))
    const { state } = record
    this.#view.expiredBeforeMs = record.expiresAtMs
    if (!this.#overwriteNumber(stripe, key, text, Math.max(digits, length), options)) return NeedRoom
    // As there, a number that has grown is an item stored anew.
    if (digits <= length) record.state |= state & CARRIED
    this.#countOfItem(options.decrement ? ClassCounter.decrHits : ClassCounter.incrHits)
    record.bump(this.#engine.coarseSeconds)
    this.#show(reader)
    return Outcome.Done
  }

  /** Shows every item that this thread evicts from now on to `reader`, under the stripe's lock; `undefined` ends that. */
  onEviction(reader: ItemReader | undefined): void {
    if (reader === undefined) {
      this.#engine.onEviction(undefined)
      return
    }
    const view = this.#viewOn(this.#engine.walk)
    this.#engine.onEviction(() => reader.item(view))
  }

  /** Shows the live items at some locations of the stripe to `reader`, without touching them. */
  showLocked(location: number, reader: ItemReader): void {
    const { expiresAtMs, state } = this.#record.at(location)
    if ((state & State.Dead) !== 0 || (expiresAtMs !== 0 && expiresAtMs <= this.#engine.nowMs)) return
    this.#show(reader)
  }

  isLiveLocked(stripe: number, key: Key): boolean {
    if (this.#engine.index.findLocked(key) === 0) return false
    const { expiresAtMs } = this.#record
    if (expiresAtMs === 0 || expiresAtMs > this.#engine.nowMs) return true
    this.#dropExpired(stripe, key)
    return false
  }

  grantLocked(stripe: number, key: Key, waiter: number): boolean {
    const { waiters, memory } = this.#engine
    // The operation that is being unlocked may itself have asked for something.
    const { pagesWanted, obstacle } = this
    this.obstacle = Obstacle.None
    this.#useReserve = true
    this.#tokenState = WaiterState.Granting
    this.#tokenFor = waiter
    // This thread's batch may have begun before the waiter came, who counts his time to live from then.
    this.#bornFromMs = waiters.sinceOf(waiter) - 1
    try {
      const stored =
        this.#coverLease(key, waiters.ttlOf(waiter)) &&
        this.#store(
          stripe,
          key,
          memory.waiterBytes,
          waiters.valueAt(waiter),
          waiters.valueLengthOf(waiter),
          waiters.flagsOf(waiter),
          waiters.ttlOf(waiter),
          waiters.ownCasOf(waiter),
        )
      if (!stored) waiters.setCas(waiter, BigInt(this.obstacle))
      return stored
    } finally {
      this.#tokenFor = 0
      this.#tokenState = WaiterState.Bound
      this.#useReserve = false
      this.#bornFromMs = 0
      this.pagesWanted = pagesWanted
      this.obstacle = obstacle
    }
  }

  /**
   * A lease that is handed over mostly lies within what is written down already, since those who wait see to that ahead. When
   * it does not, this waits for the disk with the stripe held, which others can bear better than two holders.
   */
  #coverLease(key: Key, ttlMs: number): boolean {
    if (ttlMs <= 0 || !this.#config.pinned.isLock(key)) return true
    try {
      this.#engine.horizon.ensure(this.#expiryOf(ttlMs), this.#engine.nowMs, STATE_WAIT_MS)
      return true
    } catch (error) {
      if (!(error instanceof StoreStateError)) throw error
      this.obstacle = Obstacle.Horizon
      return false
    }
  }

  hasTokenLocked(_stripe: number, key: Key, cas: bigint): boolean {
    return this.#engine.index.findLocked(key) !== 0 && this.#tokenOf(this.#record) === cas
  }

  removeTokenLocked(stripe: number, key: Key, cas: bigint): void {
    if (this.hasTokenLocked(stripe, key, cas)) this.#unlink(stripe, key)
  }

  /** What is left of the key's item: milliseconds, −1 for ever, `undefined` when there is none. */
  lifeLocked(stripe: number, key: Key): number | undefined {
    return this.#findLive(stripe, key) ? this.#view.ttlMs : undefined
  }

  /**
   * Moves `record` to the key's live item. One that has expired is dropped on the way; if somebody waited for that, he has
   * the key before this operation goes on, and his item is what it finds.
   */
  #findLive(stripe: number, key: Key): boolean {
    if (this.#engine.index.findLocked(key) === 0) return false
    const { expiresAtMs } = this.#record
    if (expiresAtMs === 0 || expiresAtMs > this.#engine.nowMs) return true
    this.#dropExpired(stripe, key)
    const { memory } = this.#engine
    if ((memory.control[memory.stripeAt(stripe) + Stripe.Marks]! & Mark.Changed) === 0) return false
    this.handOver.settleLocked(stripe)
    return this.isLiveLocked(stripe, key)
  }

  #dropExpired(stripe: number, key: Key): void {
    const { counters } = this.#engine
    counters.add(Counter.getExpired)
    countExpired(counters, this.#record)
    this.#unlink(stripe, key)
  }

  #unlink(stripe: number, key: Key): void {
    this.#engine.items.unlinkLocked(stripe, key, this.#record, false)
  }

  #decideWrite(exists: boolean, options: WriteOptions): number {
    const { counters } = this.#engine
    const { mode, compareCas } = options
    if (!exists) {
      if (extendsValue(mode)) return options.vivify ? Go : Outcome.NotStored
      if (mode === WriteMode.Add) return Go
      if (compareCas === undefined) return mode === WriteMode.Replace ? Outcome.NotStored : Go
      counters.add(Counter.casMisses)
      return Outcome.NotFound
    }
    if (mode === WriteMode.Add) {
      // A failed add is a sign of interest: the item stays longer, as in memcached.
      this.#record.bump(this.#engine.coarseSeconds)
      return Outcome.NotStored
    }
    if (compareCas === undefined) return Go
    const token = this.#tokenOf(this.#record)
    if (compareCas === token) return Go
    if (options.invalidate && !extendsValue(mode) && compareCas < token) return GoStale
    this.#countOfItem(ClassCounter.casBadval)
    return Outcome.Exists
  }

  /** Append and prepend: a fresh record of both parts. */
  #extend(
    stripe: number,
    key: Key,
    value: Bytes,
    start: number,
    length: number,
    options: WriteOptions,
    reader: ItemReader | undefined,
  ): number {
    const old = this.#record
    const oldLength = old.valueLength
    this.#shapeLike(old, oldLength + length, options.newCas)
    if (!this.#begin(stripe, key, true, false)) return NeedRoom
    const prepends = options.mode === WriteMode.Prepend
    this.#fresh.copyValueOf(old, prepends ? length : 0)
    this.#fresh.copyIn(prepends ? 0 : oldLength, length, value, start)
    this.#tokenFor = options.bindTo
    if (!this.#commit(stripe, key, true)) return NeedRoom
    this.#countStored(options.compareCas !== undefined)
    this.#show(reader)
    return Outcome.Done
  }

  #countStored(compared: boolean): void {
    this.#engine.counters.add(Counter.totalItems)
    if (compared) this.#countOfItem(ClassCounter.casHits)
  }

  /** Counts what was done to the item that `record` is on. */
  #countOfItem(counter: number): void {
    this.#engine.counters.addOfClass(counter, sizeClass(this.#record.units))
  }

  /** As in memcached, a read that touches counts as a touch. */
  #countRead(hit: boolean, options: ReadOptions, reader: ItemReader | undefined): void {
    if (options.peek) return
    if (options.touch) {
      if (hit) this.#countOfItem(ClassCounter.touchHits)
      else this.#engine.counters.add(Counter.touchMisses)
    } else if (reader !== undefined) {
      if (hit) this.#countOfItem(ClassCounter.getHits)
      else this.#engine.counters.add(Counter.getMisses)
    }
  }

  #vivify(stripe: number, key: Key, options: ReadOptions, reader: ItemReader | undefined): boolean {
    const { vivifyTtlMs, newCas } = options
    if (!this.#store(stripe, key, NOTHING, 0, 0, 0, vivifyTtlMs, newCas)) return false
    this.vivified = true
    this.#view.won = true
    this.#view.expiredBeforeMs = this.#record.expiresAtMs
    reader?.item(this.#view)
    this.#record.state |= options.noBump ? State.TokenSent : State.TokenSent | State.Fetched
    return true
  }

  #vivifyNumber(stripe: number, key: Key, options: ArithmeticOptions, reader: ItemReader | undefined): number {
    const length = writeU64(options.initial, this.#digits, 0)
    const { vivifyTtlMs, newCas } = options
    if (!this.#store(stripe, key, this.#digits, 0, length, 0, vivifyTtlMs, newCas)) return NeedRoom
    this.vivified = true
    this.#view.expiredBeforeMs = this.#record.expiresAtMs
    this.#show(reader)
    return Outcome.Done
  }

  /** A new item for a key that has none. */
  #store(
    stripe: number,
    key: Key,
    value: Bytes,
    start: number,
    length: number,
    flags: number,
    ttlMs: number,
    ownCas: bigint | undefined,
  ): boolean {
    const shape = this.#shape
    shape.valueLength = length
    shape.flags = flags
    shape.ownCas = ownCas
    shape.stale = false
    shape.expiresAtMs = this.#expiryOf(ttlMs)
    if (this.#inGrace(key) || !this.#begin(stripe, key, false, false)) return false
    this.#fresh.fillValue(value, start)
    if (!this.#commit(stripe, key, false)) return false
    this.#engine.counters.add(Counter.totalItems)
    return true
  }

  /** Writes the first `length` bytes of `text` over the record's value, in its place when they fit. */
  #overwriteNumber(stripe: number, key: Key, text: Bytes, length: number, options: ArithmeticOptions): boolean {
    this.#shapeLike(this.#record, length, options.newCas)
    if (options.touch) this.#shape.expiresAtMs = this.#expiryOf(options.ttlMs)
    if (!this.#begin(stripe, key, true, true)) return false
    this.#fresh.fillValue(text, 0)
    return this.#commit(stripe, key, true)
  }

  /** Meta delete's gentle forms: without its value, or stale so that the next reader recomputes it. */
  #mark(stripe: number, key: Key, options: RemoveOptions): boolean {
    const old = this.#record
    const { state } = old
    const shape = this.#shape
    this.#shapeLike(old, options.dropValue ? 0 : old.valueLength, options.newCas)
    if (options.dropValue) shape.flags = 0
    if (options.invalidate && options.touch) shape.expiresAtMs = this.#expiryOf(options.ttlMs)
    if (!this.#begin(stripe, key, true, false)) return false
    if (!options.dropValue) this.#fresh.copyValueOf(old, 0)
    if (!this.#commit(stripe, key, true)) return false
    const carried = options.invalidate ? (state & CARRIED & ~State.TokenSent) | State.Stale : state & CARRIED
    this.#record.state |= carried
    return true
  }

  /** Gives the item under the cursor a new end of life. Its token stays. False when that needs a room there is not. */
  #touch(stripe: number, key: Key, expiresAtMs: number): boolean {
    const old = this.#record
    const { state } = old
    if ((state & State.HasExpiry) === 0) {
      if (expiresAtMs === 0) return true
      const { accessSeconds, sequenceHigh, sequenceLow } = old
      this.#shapeLike(old, old.valueLength, (state & State.HasCas) === 0 ? undefined : old.ownCas)
      this.#shape.expiresAtMs = expiresAtMs
      if (!this.#begin(stripe, key, true, false)) return false
      this.#fresh.copyValueOf(old, 0)
      if (!this.#commit(stripe, key, true)) return false
      this.#record.setSequence(sequenceHigh, sequenceLow)
      this.#record.accessSeconds = accessSeconds
      this.#record.state |= state & CARRIED
      return true
    }
    if (!this.#mayLease(key, expiresAtMs)) return false
    old.expiresAtMs = expiresAtMs
    if (expiresAtMs !== 0) {
      this.#engine.log.noteExpiryLocked(old.location, expiresAtMs)
      this.#engine.changes.noteLocked(stripe, key)
    }
    return true
  }

  /** Milliseconds left in which locks of before a restart may still be held. */
  get graceMs(): number {
    return Math.max(0, this.#engine.memory.doubles[GlobalDouble.GraceUntilMs]! - this.#engine.nowMs)
  }

  /** The greatest fence that was accepted for the key, 0 when none is known. Moves the cursor. */
  #fenceOf(stripe: number, key: Key): bigint {
    takeRegisterKey(this.#register, key)
    if (!this.#findLive(stripe, this.#register)) return 0n
    const { valueLength } = this.#record
    if (valueLength > DIGITS_MAX) return 0n
    this.#record.copyValue(this.#digits, 0)
    return parseU64(this.#digits, 0, valueLength) ?? 0n
  }

  /**
   * Notes that a write with this fence, not below the register's, is accepted for the key, whose item will end then. It is
   * noted before it is done: an item that was not written in the end harms nobody. The cursor is on the key's item again
   * if there is one. False when there is no room.
   */
  #raiseFence(stripe: number, key: Key, fence: bigint, dataEndsAtMs: number): boolean {
    const before = this.#fenceOf(stripe, key)
    const register = this.#register
    const exists = this.#engine.index.findLocked(register) !== 0
    let endsAtMs = registerEnd(dataEndsAtMs, this.#engine.nowMs)
    const oldEndMs = exists ? this.#record.expiresAtMs : endsAtMs
    if (!exists || fence > before || isRenewalDue(oldEndMs, endsAtMs)) {
      endsAtMs = oldEndMs === 0 ? 0 : Math.max(oldEndMs, endsAtMs)
      if (!this.#writeRegister(stripe, register, exists, fence, endsAtMs)) return false
    }
    this.#engine.index.findLocked(key)
    return true
  }

  #writeRegister(stripe: number, register: Key, exists: boolean, fence: bigint, endsAtMs: number): boolean {
    const shape = this.#shape
    shape.valueLength = writeU64(fence, this.#digits, 0)
    shape.flags = 0
    shape.ownCas = undefined
    shape.stale = false
    shape.expiresAtMs = endsAtMs
    if (!this.#begin(stripe, register, exists, false)) return false
    this.#fresh.fillValue(this.#digits, 0)
    return this.#commit(stripe, register, exists)
  }

  /** Whether a key may not be created yet: a lock that was given before a restart may still be held. */
  #inGrace(key: Key): boolean {
    const { memory, nowMs } = this.#engine
    if (nowMs >= memory.doubles[GlobalDouble.GraceUntilMs]! || !this.#config.pinned.isLock(key)) return false
    this.obstacle = Obstacle.Grace
    return true
  }

  /** Whether the key may live until then. A lock must not outlast what the next start would know of. */
  #mayLease(key: Key, expiresAtMs: number): boolean {
    if (expiresAtMs === 0 || !this.#config.pinned.isLock(key)) return true
    const { horizon, nowMs } = this.#engine
    if (expiresAtMs - this.#bornMs > this.#config.maxLeaseMs) {
      this.obstacle = Obstacle.Lease
      return false
    }
    horizon.noteLease(expiresAtMs)
    if (horizon.covers(expiresAtMs, nowMs)) return true
    this.obstacle = Obstacle.Horizon
    this.leaseEndMs = expiresAtMs
    return false
  }

  #shapeLike(record: RecordCursor, valueLength: number, ownCas: bigint | undefined): void {
    const shape = this.#shape
    shape.valueLength = valueLength
    shape.expiresAtMs = record.expiresAtMs
    shape.flags = record.flags
    shape.ownCas = ownCas
    shape.stale = false
  }

  /**
   * Gets a record of the wanted shape ready, under the `fresh` cursor, for its value to be filled in: the old one when
   * it may be overwritten and has the same size, else a new one that nobody can see yet.
   */
  #begin(stripe: number, key: Key, exists: boolean, mayOverwrite: boolean): boolean {
    const shape = this.#shape
    const header = this.#header
    const wanted =
      (shape.expiresAtMs !== 0 ? State.HasExpiry : 0) |
      (shape.ownCas !== undefined ? State.HasCas : 0) |
      (shape.flags !== 0 ? State.HasFlags : 0)
    const pinned = this.#config.pinned.isPinned(key)
    if (pinned && !this.#mayLease(key, shape.expiresAtMs)) return false
    // A pinned item is never overwritten in place: if this thread died halfway, the item would be lost.
    const overwrites = exists && mayOverwrite && !pinned && this.#suits(key, wanted)
    const fields = overwrites ? this.#record.fields : wanted
    const location = overwrites ? this.#record.location : this.#makeSpace(stripe, key, exists, pinned, wanted)
    if (location === 0) return false

    const fresh = this.#fresh.at(location)
    header.state = fields | (overwrites ? State.Busy : 0) | (shape.stale ? State.Stale : 0)
    header.frequency = exists ? this.#record.frequency : 0
    header.valueLength = shape.valueLength
    header.accessSeconds = this.#engine.coarseSeconds
    this.#nextToken(stripe)
    fresh.writeHeader(header, key.length)
    if (!overwrites) fresh.writeKey(key)
    if ((fields & State.HasExpiry) !== 0) fresh.expiresAtMs = shape.expiresAtMs
    if ((fields & State.HasFlags) !== 0) fresh.flags = shape.flags
    if (shape.ownCas !== undefined) fresh.ownCas = shape.ownCas
    if (shape.expiresAtMs !== 0) {
      this.#engine.log.noteExpiryLocked(location, shape.expiresAtMs)
      this.#engine.changes.noteLocked(stripe, key)
    }
    return true
  }

  /** Whether the old record's fields and size suit the new value. */
  #suits(key: Key, wanted: number): boolean {
    const old = this.#record
    const has = old.fields
    if ((wanted & ~has) !== 0 || ((wanted ^ has) & State.HasCas) !== 0) return false
    return recordUnits(has, key.length, this.#shape.valueLength) === recordUnits(has, key.length, old.valueLength)
  }

  /** Room for a new record: a replaced item stays in its queue, a pinned or remembered key goes to its own. */
  #makeSpace(stripe: number, key: Key, exists: boolean, pinned: boolean, fields: number): number {
    const { log, memory, index } = this.#engine
    const units = recordUnits(fields, key.length, this.#shape.valueLength)
    if (pinned && !this.#fitsPinned(units - (exists ? this.#record.units : 0))) {
      this.pagesWanted = 0
      return 0
    }
    let queue: QueueName = PageKind.Small
    if (exists) queue = log.kindOf(this.#record.location >>> memory.pageUnitsShift) as QueueName
    else if (pinned) queue = PageKind.Pinned
    else if (index.hasGhostLocked(key)) queue = PageKind.Main
    const location = log.appendLocked(stripe, queue, units, leadingUnits(fields, key.length), this.#useReserve)
    if (location === 0) this.pagesWanted = log.pagesFor(units)
    return location
  }

  /** Makes the record that `#begin` readied the key's item, and moves the cursor to it. */
  #commit(stripe: number, key: Key, exists: boolean): boolean {
    const { items } = this.#engine
    const fresh = this.#fresh
    const { state } = fresh
    // Before the item is there: should this thread die, whoever repairs knows whose it is.
    if (this.#tokenFor !== 0) this.#noteToken()
    if ((state & State.Busy) !== 0) fresh.state = state & ~State.Busy
    else if (exists) items.replaceLocked(stripe, fresh, this.#record)
    else if (!items.publishLocked(stripe, key, fresh, this.#useReserve)) {
      this.pagesWanted = 1
      return false
    }
    this.#record.at(fresh.location)
    return true
  }

  #noteToken(): void {
    const { waiters } = this.#engine
    waiters.setCas(this.#tokenFor, this.#tokenOf(this.#fresh))
    waiters.setState(this.#tokenFor, this.#tokenState)
    this.#tokenFor = 0
  }

  /** Whether this reader, as the first, is to recompute a value that is stale or about to expire. */
  #winsRecompute(record: RecordCursor, options: ReadOptions): boolean {
    if (!options.mayWin || options.peek) return false
    const { state } = record
    if ((state & State.TokenSent) !== 0) return false
    if ((state & State.Stale) !== 0) return true
    if (!options.recache) return false
    const expiresAtMs = options.touch && options.recacheFirst ? this.#view.expiredBeforeMs : record.expiresAtMs
    return expiresAtMs !== 0 && expiresAtMs - this.#engine.nowMs < options.recacheMs
  }

  #show(reader: ItemReader | undefined): void {
    if (reader === undefined) return
    this.#view.won = false
    reader.item(this.#view)
  }

  #expiryOf(ttlMs: number): number {
    if (ttlMs === 0) return 0
    return ttlMs < 0 ? this.#engine.nowMs : this.#bornMs + Math.min(Math.ceil(ttlMs), TTL_MAX_MS)
  }

  get #bornMs(): number {
    return Math.max(this.#engine.nowMs, this.#bornFromMs)
  }

  #isTooLarge(key: Key, length: number): boolean {
    return length > VALUE_MAX || recordUnits(0, key.length, length) * UNIT_BYTES > this.#config.itemMax
  }

  /**
   * Whether pinned items leave room for so many units more. Looking at every stripe costs more than the rest of a small write,
   * so what is found once is good for a part of what is left, so small that not even all threads together use it up.
   */
  #fitsPinned(units: number): boolean {
    if (units <= 0) return true
    if (units > this.#pinnedAllowance) {
      const { control, stripes } = this.#engine.memory
      let left = this.#config.pinnedUnitsMax - units
      for (let stripe = 0; stripe < stripes; stripe++)
        left -= control[this.#engine.log.queueAt(stripe, PageKind.Pinned) + Queue.LiveUnits]!
      if (left < 0) return false
      this.#pinnedAllowance = units + Math.floor(left / THREAD_SLOTS)
    }
    this.#pinnedAllowance -= units
    return true
  }

  /** Puts the stripe's next token into the header. None is given twice, whatever becomes of the item that has it. */
  #nextToken(stripe: number): void {
    const { control } = this.#engine.memory
    const at = this.#engine.memory.stripeAt(stripe)
    const low = (control[at + Stripe.CasLow]! + 1) | 0
    // The high word goes first: a thread that dies between the two has skipped numbers, not repeated them.
    if (low === 0) control[at + Stripe.CasHigh]! += 1
    control[at + Stripe.CasLow] = low
    this.#header.sequenceHigh = control[at + Stripe.CasHigh]!
    this.#header.sequenceLow = low
  }

  #tokenOf(record: RecordCursor): bigint {
    if ((record.state & State.HasCas) !== 0) return record.ownCas
    return this.#engine.tokens.of(record.sequence, this.#stripeOf(record))
  }

  #copyToken(record: RecordCursor, target: Bytes, at: number): void {
    if ((record.state & State.HasCas) !== 0) target.view.setBigUint64(at, record.ownCas)
    else this.#engine.tokens.copy(record.sequence, this.#stripeOf(record), target, at)
  }

  #stripeOf({ location }: RecordCursor): number {
    const { memory } = this.#engine
    const page = memory.pageAt(location >>> memory.pageUnitsShift)
    return stripeOf(memory.control[page + Page.Owner]!)
  }
}

function extendsValue(mode: WriteMode): boolean {
  return mode === WriteMode.Append || mode === WriteMode.Prepend
}

function compute(before: bigint, options: ArithmeticOptions): bigint {
  if (!options.decrement) return (before + options.delta) & U64_MAX
  return options.delta > before ? 0n : before - options.delta
}
