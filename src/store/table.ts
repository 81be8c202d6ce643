/**
 * The table: every operation on bytes, safe from every thread at once. An operation hashes its key, locks the key's
 * stripe, and works under that lock alone; only the pool of free pages has a lock of its own, taken inside. Memory
 * is made before the stripe is locked, by evicting from whichever stripe has most, under that stripe's lock.
 */
import { randomBytes } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { Bindings, Places } from './bindings.js'
import type { Bytes } from './bytes.js'
import { type CasEra, casEpochAt } from './cas-epoch.js'
import { type Clock, monotonicClock } from './clock.js'
import { ClassCounter, resetCounters } from './counters.js'
import { Engine } from './engine.js'
import { StoreGraceError, StoreLeaseError, StoreLockTimeoutError } from './errors.js'
import { checkFenceKey } from './fences.js'
import type { LeaseKeeper } from './horizon.js'
import type { StoreImage } from './image/read.js'
import { checkPrefixes, erasAfter } from './image/terms.js'
import { type ImageSize, type OnImageProgress, type OpenFile, writeImage } from './image/write.js'
import { sizeClass } from './items.js'
import type { Key } from './key.js'
import { LatestLease } from './latest-lease.js'
import { Global, GlobalDouble, QueueName, UNIT_BYTES } from './layout.js'
import { allocateMemory, chooseGeometry, type MemoryHandle } from './memory.js'
import { NeedRoom, Obstacle, Operations, Read } from './operations.js'
import { type ResolvedOptions, resolveOptions, type StoreOptions } from './options.js'
import { PinnedPrefixes } from './pinned.js'
import { recordUnits } from './records.js'
import { type SizeClass, type StripeStats, sizeClasses, stripeStats, type TableStats, tableStats } from './stats.js'
import {
  type ArithmeticOptions,
  type ItemReader,
  Outcome,
  type ReadOptions,
  type RemoveOptions,
  type WriteOptions,
} from './types.js'
import { WAITING_VALUE_MAX } from './waiter-layout.js'
import { type Wait, type WaitEnd, Waits } from './waits.js'
import { eachInQueueLocked } from './walks.js'

/** Hand this to a worker thread, as `workerData` or in a message, and `attach` there. */
export interface StoreHandle {
  readonly memory: MemoryHandle
  readonly options: ResolvedOptions
  readonly seed: number
  readonly originMs: number
  readonly casEras: readonly CasEra[]
  /** Longest life of a pinned item that has an end: infinite, or what was inherited. */
  readonly maxLeaseMs: number
}

/** What a table knows of the one before it, and promises to the one after it: see `keepLeases`. Times in ms. */
export interface Inherited {
  /** Above every token that was given before. */
  readonly casFloor: bigint
  /** For so long locks that were given before may still be held, and no pinned key can be created. */
  readonly graceMs: number
  /** Longest life of a pinned item that has an end. */
  readonly maxLeaseMs: number
}

/** How a table is made from an image. */
export interface RestoreTerms {
  /** For how long there was no table, in ms: that counts for times to live. */
  readonly stoppedMs: number
  readonly inherited?: Inherited | undefined
  readonly clock?: Clock
  readonly onProgress?: OnImageProgress
}

const SWEEP_INTERVAL_MS = 500
/** A thread that died is recovered within so many turns of the event loop, also when another's death is in the way of that. */
const RECOVERY_TURNS = 100
/** Pages made beyond those asked for, so that not every new page costs a pass over an old one. */
const EXTRA_PAGES = 4
/** Other threads may take the room that was made; after this many times a write is refused. */
const ATTEMPTS_MAX = 16

/**
 * `read`, `write`, `remove` and `arithmetic` are one loop written four times: a closure for the call in its middle would
 * cost every operation an allocation.
 */
export class Table {
  readonly handle: StoreHandle
  readonly #engine: Engine
  readonly #operations: Operations
  readonly #pinned: PinnedPrefixes
  readonly #places: Places
  readonly #waits: Waits
  #sweeper: NodeJS.Timeout | undefined

  private constructor(handle: StoreHandle, clock: Clock) {
    this.handle = handle
    const { options } = handle
    this.#engine = new Engine(
      handle.memory,
      { evict: options.evict, seed: handle.seed, originMs: handle.originMs, casEras: handle.casEras },
      clock,
    )
    this.#pinned = new PinnedPrefixes(options.pinnedPrefixes)
    this.#operations = new Operations(this.#engine, {
      itemMax: options.itemMax,
      pinnedUnitsMax: Math.floor((options.memory * options.pinnedShare) / UNIT_BYTES),
      pinned: this.#pinned,
      maxLeaseMs: handle.maxLeaseMs,
    })
    this.#places = new Places(this.#engine)
    this.#waits = new Waits(this.#engine, this.#operations, this.#places)
  }

  /**
   * Reserves the memory and makes the table. `clock` is for tests; all threads of a table must share its time. With
   * `inherited`, leases on pinned keys are kept: no thread can give one before it has called `keepLeases`.
   * @throws StoreArgumentError for options that cannot be.
   */
  static create(options: StoreOptions = {}, clock: Clock = monotonicClock(), inherited?: Inherited): Table {
    const resolved = resolveOptions(options)
    const epoch = laterOf(casEpochAt(Date.now()), inherited?.casFloor)
    const handle: StoreHandle = {
      memory: allocateMemory(chooseGeometry(resolved.memory, resolved.threads)),
      options: resolved,
      seed: randomBytes(4).readInt32LE(),
      originMs: clock.now(),
      casEras: [{ epoch, afterSequence: 0, fromMs: 0 }],
      maxLeaseMs: inherited?.maxLeaseMs ?? Number.POSITIVE_INFINITY,
    }
    const table = new Table(handle, clock)
    if (inherited !== undefined) table.#inherit(inherited)
    table.#engine.pool.fill()
    return table
  }

  /**
   * The table that an image was written of: with its items, and the time gone on by `stoppedMs`. Size of pages and number of
   * stripes stay as they were. With `inherited`, which must be of the end of that very table, leases are kept as by `create`.
   * @throws StoreImageError when the image is damaged, has other pinned prefixes, or does not fit into the memory.
   */
  static async restore(image: StoreImage, options: StoreOptions, terms: RestoreTerms): Promise<Table> {
    const { stoppedMs, inherited, clock = monotonicClock(), onProgress = () => undefined } = terms
    const { header } = image
    const nowMs = header.nowMs + Math.max(0, stoppedMs)
    const originMs = clock.now() - nowMs
    const resolved = resolveOptions(options)
    checkPrefixes(header.pinnedPrefixes, resolved.pinnedPrefixes)
    const epoch = laterOf(laterOf(casEpochAt(Date.now()), inherited?.casFloor), header.ceiling)
    const handle: StoreHandle = {
      memory: allocateMemory(chooseGeometry(resolved.memory, resolved.threads, header)),
      options: resolved,
      seed: header.seed,
      originMs,
      casEras: erasAfter(header, { epoch, afterSequence: header.lastSequence, fromMs: nowMs }),
      maxLeaseMs: inherited?.maxLeaseMs ?? Number.POSITIVE_INFINITY,
    }
    const table = new Table(handle, clock)
    try {
      const { memory, pool } = table.#engine
      await image.fill(memory, onProgress)
      pool.fill()
      memory.control[Global.CoarseSeconds] = nowMs / 1000
      memory.doubles[GlobalDouble.FlushAtMs] = header.flushAtMs
      memory.doubles[GlobalDouble.GraceUntilMs] = header.graceUntilMs
      memory.doubles[GlobalDouble.LatestLeaseMs] = header.latestLeaseMs
      if (inherited !== undefined) table.#keepRestored(inherited)
      return table
    } catch (error) {
      table.close()
      throw error
    }
  }

  /**
   * A table on memory that another thread made.
   * @throws StoreThreadsError when too many threads are attached.
   */
  static attach(handle: StoreHandle, clock: Clock = monotonicClock()): Table {
    return new Table(handle, clock)
  }

  /** The table before this one may have kept no leases: then nobody has noted the longest of them, nor written it down. */
  #keepRestored({ graceMs }: Inherited): void {
    const { memory, horizon, nowMs } = this.#engine
    memory.doubles[GlobalDouble.HorizonMs] = nowMs + graceMs
    const leftMs = this.leaseLeftMs()
    if (leftMs > 0) horizon.noteLease(this.#engine.nowMs + leftMs)
  }

  #inherit({ graceMs }: Inherited): void {
    const { doubles } = this.#engine.memory
    doubles[GlobalDouble.GraceUntilMs] = graceMs
    doubles[GlobalDouble.HorizonMs] = graceMs
  }

  /** Forgets the time: call it once per batch. Between two calls all operations happen at one moment. */
  tick(): void {
    this.#engine.tick()
  }

  /** A key to be filled and used again and again. */
  newKey(): Key {
    return this.#engine.newKey()
  }

  /**
   * Looks an item up and shows it to `reader`, under the stripe's lock.
   * @returns false on a miss; with `vivify` only when there was no memory to make the item.
   * @throws StoreLockTimeoutError
   */
  read(key: Key, options: ReadOptions, reader?: ItemReader): boolean {
    const { stripe } = key
    for (let attempt = 0; ; attempt++) {
      this.#engine.lock(stripe)
      let result: number
      try {
        result = this.#operations.readLocked(stripe, key, options, reader)
      } catch (error) {
        this.#engine.breakOffLocked(stripe)
        throw error
      } finally {
        this.#engine.unlock(stripe)
      }
      if (result !== NeedRoom) return result === Read.Hit
      if (!this.#makeRoom(attempt)) return false
    }
  }

  /**
   * Stores `length` bytes of `value` from `start` on, as the options say, and shows the new item to `reader`.
   * @throws StoreLockTimeoutError
   */
  write(key: Key, value: Bytes, start: number, length: number, options: WriteOptions, reader?: ItemReader): Outcome {
    const { stripe } = key
    if (options.fence !== undefined) checkFenceKey(key)
    for (let attempt = 0; ; attempt++) {
      this.#engine.lock(stripe)
      let result: number
      try {
        result = this.#operations.writeLocked(stripe, key, value, start, length, options, reader)
      } catch (error) {
        this.#engine.breakOffLocked(stripe)
        throw error
      } finally {
        this.#engine.unlock(stripe)
      }
      if (result !== NeedRoom) {
        if (result !== Outcome.TooLarge) this.#countWrite(key, length)
        return result as Outcome
      }
      if (this.#makeRoom(attempt)) continue
      this.#engine.withStripe(stripe, () => this.#operations.giveUpWriteLocked(stripe, key, length, options))
      return Outcome.OutOfMemory
    }
  }

  /** Stored or not: as memcached counts, every store whose value there was room to take. */
  #countWrite(key: Key, length: number): void {
    this.#engine.counters.addOfClass(ClassCounter.cmdSet, sizeClass(recordUnits(0, key.length, length)))
  }

  /**
   * Adds as `write` does with mode `Add`; if the key has an item, waits its turn for up to `waitMs` milliseconds, first in,
   * first out over all threads. When it has the turn, the value, of at most 704 bytes, is stored by whoever made the key
   * vacant, its time to live counting from then.
   * @param settle is called once with what came of the wait, from the event loop and never from inside of a call.
   * @returns what came of it, or the wait.
   * @throws StoreLockTimeoutError, StoreGraceError, StoreLeaseError, StoreStateError
   */
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
    if (waitMs > 0 && length > WAITING_VALUE_MAX) return Outcome.TooLongToWait
    for (;;) {
      const outcome = this.write(key, value, start, length, options, reader)
      if (outcome !== Outcome.NotStored || waitMs <= 0) return outcome
      const leaseMs = this.#coverLease(key, options.ttlMs)
      const wait = this.#waits.begin(key, value, start, length, options, leaseMs, waitMs, settle)
      if (wait !== undefined) return wait
    }
  }

  /** Sees to it that a lease can be given later. @returns its length, or 0 when the item will be none. */
  #coverLease(key: Key, ttlMs: number): number {
    if (ttlMs <= 0 || !this.#pinned.isLock(key)) return 0
    if (ttlMs > this.handle.maxLeaseMs) throw new StoreLeaseError(this.handle.maxLeaseMs)
    const endMs = this.#engine.nowMs + ttlMs
    this.#engine.horizon.noteLease(endMs)
    this.ensureHorizon(endMs)
    return ttlMs
  }

  /** A set of items that end together: with a client's connection, say. */
  newBindings(): Bindings {
    return new Bindings(this.#engine, this.#operations, this.#places)
  }

  /**
   * What `write` does with a value above the item limit, for one so large that it was never read: the old value goes
   * where it must not outlive a failed set.
   * @throws StoreLockTimeoutError
   */
  refuseTooLarge(key: Key, options: WriteOptions): void {
    this.#engine.withStripe(key.stripe, () => this.#operations.refuseTooLargeLocked(key.stripe, key, options))
  }

  /**
   * Deletes an item, or marks it as the options say.
   * @throws StoreLockTimeoutError
   */
  remove(key: Key, options: RemoveOptions, reader?: ItemReader): Outcome {
    const { stripe } = key
    if (options.fence !== undefined) checkFenceKey(key)
    for (let attempt = 0; ; attempt++) {
      this.#engine.lock(stripe)
      let result: number
      try {
        result = this.#operations.removeLocked(stripe, key, options, reader)
      } catch (error) {
        this.#engine.breakOffLocked(stripe)
        throw error
      } finally {
        this.#engine.unlock(stripe)
      }
      if (result !== NeedRoom) return result as Outcome
      if (!this.#makeRoom(attempt)) return Outcome.OutOfMemory
    }
  }

  /**
   * Adds to or takes from the number that an item holds, and shows the item to `reader` afterwards.
   * @throws StoreLockTimeoutError
   */
  arithmetic(key: Key, options: ArithmeticOptions, reader?: ItemReader): Outcome {
    const { stripe } = key
    for (let attempt = 0; ; attempt++) {
      this.#engine.lock(stripe)
      let result: number
      try {
        result = this.#operations.arithmeticLocked(stripe, key, options, reader)
      } catch (error) {
        this.#engine.breakOffLocked(stripe)
        throw error
      } finally {
        this.#engine.unlock(stripe)
      }
      if (result !== NeedRoom) return result as Outcome
      if (!this.#makeRoom(attempt)) return Outcome.OutOfMemory
    }
  }

  /** Set by a read or an arithmetic operation that made a missing item. Who wants to know clears it before. */
  get vivified(): boolean {
    return this.#operations.vivified
  }

  set vivified(vivified: boolean) {
    this.#operations.vivified = vivified
  }

  /** Shows every item that this thread evicts from now on to `reader`, under the stripe's lock; `undefined` ends that. */
  onEviction(reader: ItemReader | undefined): void {
    this.#operations.onEviction(reader)
  }

  /**
   * Drops all items but pinned ones, which are locks and no cache: at once, or in `delayMs`. CAS tokens go on rising.
   * @throws StoreLockTimeoutError; some items may be dropped then, and others not.
   */
  flush(delayMs = 0): void {
    this.#engine.flush(delayMs)
  }

  /**
   * Shows all items to `reader`, a slice of one stripe at a call. Begin with 0 and go on with what comes back, until
   * that is 0. Items that are stored meanwhile may be missed or, when the index just grows, shown twice.
   */
  scan(cursor: number, reader: ItemReader): number {
    const { memory, index } = this.#engine
    const stripe = cursor >>> memory.depthMax
    const entry = cursor & ((1 << memory.depthMax) - 1)
    this.tick()
    return this.#engine.withStripe(stripe, () => {
      const page = index.pageAtEntryLocked(stripe, entry)
      if (page !== 0) index.eachInPage(page, (location) => this.#operations.showLocked(location, reader))
      if (entry + 1 < index.entriesLocked(stripe)) return cursor + 1
      return stripe + 1 < memory.stripes ? (stripe + 1) << memory.depthMax : 0
    })
  }

  /**
   * Names who writes down, on this thread, how long leases may last; for tables that were made with `Inherited`. Every
   * thread that may give or extend leases needs its own.
   */
  keepLeases(keeper: LeaseKeeper): void {
    this.#engine.horizon.keeper = keeper
  }

  /**
   * Makes sure that a lease which ends at `leaseEndMs`, on the clock of `nowMs`, can be given without waiting for a disk.
   * @throws StoreStateError
   */
  ensureHorizon(leaseEndMs: number): void {
    this.#engine.horizon.ensure(leaseEndMs, this.#engine.nowMs)
  }

  /**
   * Writes ahead what leases and tokens will soon need, and all of it anew when that `isGone`; for a timer of one thread.
   * @throws StoreStateError
   */
  keepAhead(isGone = false): void {
    this.tick()
    this.#engine.horizon.keepAhead(this.#engine.nowMs, isGone)
  }

  /** Milliseconds since the store began, at this batch's moment: the clock of `ensureHorizon`. */
  get nowMs(): number {
    return this.#engine.nowMs
  }

  /** Milliseconds left in which locks of before a restart may still be held. */
  get graceMs(): number {
    this.tick()
    return this.#operations.graceMs
  }

  /**
   * Writes down what the next table must know of this one when nothing can be given any more: for how long the last of
   * the leases that are still held lasts, and a ceiling of the tokens.
   */
  keepLast(keeper: LeaseKeeper): void {
    const leftMs = this.leaseLeftMs()
    this.tick()
    keeper.write(Math.max(leftMs, this.graceMs), this.#engine.tokens.ceiling(this.#engine.nowMs))
  }

  /** For how long the last of the leases lasts that are held now; 0 when there is none. A walk over all pinned items. */
  leaseLeftMs(): number {
    const latest = new LatestLease(this.newKey(), this.#pinned)
    for (let cursor = this.scanPinned(0, latest); cursor !== 0; ) cursor = this.scanPinned(cursor, latest)
    return latest.leftMs
  }

  /**
   * Writes an image of the table to the file `path`, whose place it takes once it is whole and on the disk. No other thread may
   * use the table any more; and this one not until the promise settles. `note` is for whoever opens the image; it is asked for
   * once the table's time stands still, so that a time in it is not before that: nothing ends too soon.
   * @throws StoreImageError when other threads are attached, StoreLockTimeoutError, and what the system says.
   */
  async saveImage(
    path: string,
    note: () => string,
    onProgress: OnImageProgress = () => undefined,
    openFile?: OpenFile,
  ): Promise<ImageSize> {
    this.#stopSweeper()
    for (let turn = 0; turn < RECOVERY_TURNS && this.#engine.isShared; turn++) await nextTurn()
    this.#engine.comeToRest()
    const { handle } = this
    const { memory, tokens, nowMs } = this.#engine
    const { doubles } = memory
    const flushAtMs = doubles[GlobalDouble.FlushAtMs]!
    const facts = {
      seed: handle.seed,
      nowMs,
      // One that was due has happened.
      flushAtMs: flushAtMs > nowMs ? flushAtMs : 0,
      graceUntilMs: doubles[GlobalDouble.GraceUntilMs]!,
      latestLeaseMs: doubles[GlobalDouble.LatestLeaseMs]!,
      pinnedPrefixes: handle.options.pinnedPrefixes,
      eras: handle.casEras,
      ceiling: tokens.ceiling(nowMs),
      note: note(),
    }
    return writeImage(path, memory, facts, onProgress, openFile)
  }

  /** As `scan`, of pinned items alone, without a walk over the others: a stripe at a call. */
  scanPinned(cursor: number, reader: ItemReader): number {
    const { memory } = this.#engine
    this.tick()
    this.#engine.withStripe(cursor, () => {
      eachInQueueLocked(this.#engine, cursor, QueueName.Pinned, (location) =>
        this.#operations.showLocked(location, reader),
      )
    })
    return cursor + 1 < memory.stripes ? cursor + 1 : 0
  }

  /**
   * Drops expired items wherever some are due.
   * @throws StoreLockTimeoutError when the holder of the pool of free pages has died, and is not recovered yet.
   */
  sweep(): void {
    this.#engine.sweep()
  }

  /** Sweeps in the background, twice a second, for as long as this thread's event loop lives. One thread suffices. */
  startSweeper(): void {
    this.#sweeper ??= setInterval(() => this.#sweepIfFree(), SWEEP_INTERVAL_MS).unref()
  }

  #stopSweeper(): void {
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }

  /** A thread that died may hold the pool: this thread's event loop must turn before it hears of that, and can recover it. */
  #sweepIfFree(): void {
    try {
      this.sweep()
    } catch (error) {
      if (!(error instanceof StoreLockTimeoutError)) throw error
    }
  }

  /**
   * Watches over a worker that uses the table: when it ends, however, what it held is repaired and freed. Without
   * this, a worker that is terminated inside an operation leaves a stripe locked for good.
   */
  adopt(worker: Worker): void {
    const { threadId } = worker
    worker.once('exit', () => this.#recoverSoon(threadId))
  }

  /** Another thread that died holds the pool: its end is told to this thread's event loop, so that must turn first. */
  #recoverSoon(threadId: number): void {
    try {
      this.recover(threadId)
    } catch (error) {
      if (!(error instanceof StoreLockTimeoutError)) throw error
      setImmediate(() => this.#recoverSoon(threadId))
    }
  }

  /** What `adopt` does when the thread of this id has ended; only then may it be called. */
  recover(threadId: number): void {
    this.tick()
    this.#engine.recover(threadId)
  }

  stats(): TableStats {
    return tableStats(this.#engine.memory)
  }

  /** Counts from 0 again; what is there now is not affected. */
  resetStats(): void {
    resetCounters(this.#engine.memory)
  }

  /** The size classes that have items, or had some since the last reset, smallest first. */
  sizeClasses(): SizeClass[] {
    this.tick()
    return sizeClasses(this.#engine)
  }

  /** Contention and load, a row a stripe. */
  stripes(): StripeStats[] {
    return stripeStats(this.#engine.memory)
  }

  /** Stops the sweeper and gives up this thread's place. The memory lives as long as any handle does. */
  close(): void {
    this.#stopSweeper()
    this.#waits.close()
    this.#engine.close()
  }

  /** Takes away what stood in an operation's way. False when that cannot be; a refusal is thrown, with no stripe held. */
  #makeRoom(attempt: number): boolean {
    const operations = this.#operations
    const { obstacle } = operations
    if (obstacle !== Obstacle.None) {
      operations.obstacle = Obstacle.None
      if (obstacle === Obstacle.Grace) throw new StoreGraceError(this.graceMs)
      if (obstacle === Obstacle.Lease) throw new StoreLeaseError(this.handle.maxLeaseMs)
      this.ensureHorizon(operations.leaseEndMs)
      // The disk took its time.
      this.tick()
      return true
    }
    const { pagesWanted } = this.#operations
    if (pagesWanted === 0 || attempt >= ATTEMPTS_MAX) return false
    return this.#engine.makeRoom(pagesWanted + EXTRA_PAGES)
  }
}

function laterOf(epoch: bigint, floor: bigint | undefined): bigint {
  return floor === undefined || epoch > floor ? epoch : floor
}
