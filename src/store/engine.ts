/**
 * The parts of a table wired together for one thread, and what concerns stripes rather than keys: locking them,
 * making room, sweeping, flushing, and repairing what a dead thread left.
 */
import { threadId } from 'node:worker_threads'
import { type CasEra, Tokens } from './cas-epoch.js'
import { Changes } from './changes.js'
import { type Clock, monotonicClock } from './clock.js'
import { Counter, Counters } from './counters.js'
import { StoreLockTimeoutError } from './errors.js'
import { Evictor } from './eviction.js'
import { HandOver, type Succession } from './hand-over.js'
import { HashIndex } from './hash-index.js'
import { Horizon } from './horizon.js'
import { StoreImageError } from './image/header.js'
import { Items } from './items.js'
import { Key } from './key.js'
import {
  Global,
  GlobalDouble,
  Mark,
  Page,
  PageKind,
  QueueName,
  SIZE_CLASSES,
  Stripe,
  StripeDouble,
  THREAD_SLOTS,
} from './layout.js'
import { acquire, Contention, ownerWord, release, seize, tryAcquire } from './lock.js'
import { Log } from './log.js'
import { Memory, type MemoryHandle } from './memory.js'
import { PagePool, stripeOf } from './pages.js'
import { RecordCursor } from './records.js'
import { Repairer } from './repair.js'
import { freeSlot, slotsOf, takeSlot } from './threads.js'
import { Waiters } from './waiters.js'

/** How long to wait for a stripe before giving up with `StoreLockTimeoutError`: below a second, as CONCURRENCY.md promises. */
const LOCK_TIMEOUT_MS = 800
/** Passes over pages that one call may make before it says that there is no room. */
const ROOM_PASSES_MAX = 4096

export interface EngineConfig {
  /** Whether live items may be evicted to make room. */
  readonly evict: boolean
  /** Makes keys hash differently in every store. */
  readonly seed: number
  /** The moment, on the clock that all threads share, from which the store counts its milliseconds. */
  readonly originMs: number
  /** What CAS sequence numbers stand for. */
  readonly casEras: readonly CasEra[]
}

export class Engine {
  readonly memory: Memory
  readonly pool: PagePool
  readonly log: Log
  readonly index: HashIndex
  readonly items: Items
  readonly waiters: Waiters
  readonly changes: Changes
  readonly counters: Counters
  readonly tokens: Tokens
  readonly horizon: Horizon
  /** On the record that `index.findLocked` found last. */
  readonly record: RecordCursor
  /** On the record that a walk over a page has come to. */
  readonly walk: RecordCursor
  readonly #evictor: Evictor
  readonly #repairer: Repairer
  readonly #config: EngineConfig
  readonly #clock: Clock
  /** This thread's. */
  readonly slot: number
  readonly #owner: number
  #nowMs = 0
  #handOver: HandOver | undefined

  constructor(handle: MemoryHandle, config: EngineConfig, clock: Clock = monotonicClock()) {
    const memory = new Memory(handle)
    this.memory = memory
    this.#config = config
    this.#clock = clock
    this.slot = takeSlot(memory, threadId)
    this.#owner = ownerWord(this.slot)
    this.counters = new Counters(memory, this.slot)
    this.tokens = new Tokens(config.casEras, memory.stripes)
    this.horizon = new Horizon(memory, this.#owner, this.tokens)
    this.waiters = new Waiters(memory, this.slot)
    this.changes = new Changes(memory, this.newKey())
    this.record = new RecordCursor(memory)
    this.pool = new PagePool(memory, this.#owner, LOCK_TIMEOUT_MS)
    this.log = new Log(memory, this.pool)
    this.index = new HashIndex(memory, this.log, this.record, this.newKey())
    this.items = new Items(memory, this.log, this.index, this.changes)
    const walk = new RecordCursor(memory)
    this.walk = walk
    const key = this.newKey()
    this.#evictor = new Evictor({
      memory,
      log: this.log,
      index: this.index,
      items: this.items,
      counters: this.counters,
      walk,
      copy: new RecordCursor(memory),
      key,
    })
    this.#repairer = new Repairer({
      memory,
      pool: this.pool,
      log: this.log,
      index: this.index,
      items: this.items,
      counters: this.counters,
      record: walk,
      key,
    })
  }

  /** Says what becomes of the items of those who wait. Until then nobody can wait. */
  succeedBy(succession: Succession): HandOver {
    const { memory, waiters, changes, counters } = this
    const now = () => this.nowMs
    this.#handOver = new HandOver({ memory, waiters, changes, counters, key: this.newKey(), succession, now })
    return this.#handOver
  }

  /** Calls `seen` under the stripe's lock before each item that this thread evicts, with `walk` on it. */
  onEviction(seen: (() => void) | undefined): void {
    this.#evictor.onEviction = seen
  }

  newKey(): Key {
    return new Key(this.#config.seed, this.memory.stripes)
  }

  /** Milliseconds since the store began, at least 1; read once between calls of `tick`. */
  get nowMs(): number {
    if (this.#nowMs === 0) {
      this.#nowMs = Math.max(1, Math.floor(this.#clock.now() - this.#config.originMs))
      this.memory.control[Global.CoarseSeconds] = this.#nowMs / 1000
    }
    return this.#nowMs
  }

  /** Forgets the time that `nowMs` read. */
  tick(): void {
    this.#nowMs = 0
  }

  /** Seconds since the store began, as some thread saw them last: good enough for access times, and free. */
  get coarseSeconds(): number {
    return this.memory.control[Global.CoarseSeconds]!
  }

  /**
   * Locks a stripe and makes it fit for use.
   * @throws StoreLockTimeoutError
   */
  lock(stripe: number): void {
    const { control, doubles } = this.memory
    const at = this.memory.stripeAt(stripe)
    const contention = acquire(control, at + Stripe.Lock, this.#owner, LOCK_TIMEOUT_MS)
    if (contention !== Contention.None)
      doubles[(at >> 1) + (contention === Contention.Spun ? StripeDouble.Spins : StripeDouble.Waits)]! += 1
    this.#enterLocked(stripe)
  }

  #enterLocked(stripe: number): void {
    const { control, doubles } = this.memory
    const at = this.memory.stripeAt(stripe)
    doubles[(at >> 1) + StripeDouble.Acquisitions]! += 1
    const flushPending = doubles[GlobalDouble.FlushAtMs] !== doubles[(at >> 1) + StripeDouble.FlushedAtMs]
    if (flushPending || (control[at + Stripe.Marks]! & Mark.Damaged) !== 0) this.#makeFitLocked(stripe)
  }

  /** Unlocks a stripe, having given the keys that became vacant to those who wait for them. */
  unlock(stripe: number): void {
    const at = this.memory.stripeAt(stripe)
    const { control } = this.memory
    // Not after a change that was broken off: the queue is seen to once the stripe has been repaired.
    if ((control[at + Stripe.Marks]! & (Mark.Changed | Mark.Damaged)) === Mark.Changed) this.#settleAndRelease(stripe)
    else release(control, at + Stripe.Lock)
  }

  #settleAndRelease(stripe: number): void {
    try {
      this.#handOver?.settleLocked(stripe)
    } catch (error) {
      this.breakOffLocked(stripe)
      // What the stripe was locked for has happened. Those who wait come first when it is locked next, by the sweep if by nobody else.
      if (!(error instanceof StoreLockTimeoutError)) throw error
    } finally {
      release(this.memory.control, this.memory.stripeAt(stripe) + Stripe.Lock)
    }
  }

  /** Called when a change threw: the next to lock the stripe repairs it. Nothing here may throw again. */
  breakOffLocked(stripe: number): void {
    this.memory.control[this.memory.stripeAt(stripe) + Stripe.Marks]! |= Mark.Damaged
  }

  /**
   * Evicts until `pages` pages are free besides the reserve. No stripe may be locked by this thread.
   * @returns false when no stripe has anything left to give.
   */
  makeRoom(pages: number): boolean {
    const { control, stripes } = this.memory
    const goal = Math.min(pages + this.pool.reserve, this.memory.pages)
    if (this.pool.free > goal) return true
    this.counters.add(Counter.directReclaims)
    // Threads begin at different stripes, and each then goes round by itself, so that it leaves none out.
    const start = Atomics.add(control, Global.EvictionHand, 1) >>> 0
    for (let pass = 0, refusals = 0; pass < ROOM_PASSES_MAX + pages && refusals < stripes; pass++) {
      if (this.pool.free > goal) return true
      // Of two stripes the fuller one gives: that keeps them even without looking at all of them.
      const hand = start + pass
      const one = hand & (stripes - 1)
      const other = (hand * 7 + (hand >>> 6) + 1) & (stripes - 1)
      const fuller = this.#evictor.evictablePages(other) > this.#evictor.evictablePages(one) ? other : one
      refusals = this.#giveRoom(refusals === 0 ? fuller : one) ? 0 : refusals + 1
    }
    return this.pool.free > goal
  }

  #giveRoom(stripe: number): boolean {
    return this.withStripe(stripe, () => {
      const gave = this.#evictor.makeRoomLocked(stripe, this.nowMs, this.#config.evict)
      this.#checkPoolLocked(stripe)
      return gave
    })
  }

  /**
   * Ends what goes from stripe to stripe when the pool could not be had: in each it would wait anew, or evict for nothing.
   * A stripe that was locked is whole, so damage says that a page could not be given back.
   */
  #checkPoolLocked(stripe: number): void {
    const marks = this.memory.control[this.memory.stripeAt(stripe) + Stripe.Marks]!
    if ((marks & Mark.Damaged) !== 0) throw new StoreLockTimeoutError(LOCK_TIMEOUT_MS)
  }

  /** Runs `action` under a stripe's lock. For what is not done at every operation: it makes a closure. */
  withStripe<T>(stripe: number, action: () => T): T {
    this.lock(stripe)
    return this.#finish(stripe, action)
  }

  /** As `withStripe`, but passes by a stripe that is in use. */
  #withStripeIfFree(stripe: number, action: () => void): void {
    if (!tryAcquire(this.memory.control, this.memory.stripeAt(stripe) + Stripe.Lock, this.#owner)) return
    this.#enterLocked(stripe)
    this.#finish(stripe, action)
  }

  #finish<T>(stripe: number, action: () => T): T {
    try {
      return action()
    } catch (error) {
      this.breakOffLocked(stripe)
      throw error
    } finally {
      this.unlock(stripe)
    }
  }

  /**
   * Drops what has expired, page by page, wherever a page says that something in it may have. Never waits for a stripe: one
   * in use has its turn at the next sweep, and one whose holder died must not keep this thread from hearing of it.
   * @throws StoreLockTimeoutError when the pool's holder died: what was being swept is repaired at its next use.
   */
  sweep(): void {
    this.tick()
    const { control, pages } = this.memory
    const nowSeconds = this.nowMs / 1000
    for (let page = 1; page <= pages; page++) {
      const at = this.memory.pageAt(page)
      // Read without a lock: a stale answer is put right under the lock, or by the next sweep.
      if (control[at + Page.SoonestSeconds]! > nowSeconds) continue
      const stripe = stripeOf(control[at + Page.Owner]!)
      if (stripe < 0) continue
      this.#withStripeIfFree(stripe, () => {
        const owned = stripeOf(control[at + Page.Owner]!) === stripe && this.log.kindOf(page) !== PageKind.Index
        if (owned && !this.log.isContinued(page)) this.#evictor.sweepPageLocked(stripe, page, this.nowMs)
        this.#checkPoolLocked(stripe)
      })
    }
    this.#finishFlush((stripe) => this.#withStripeIfFree(stripe, () => undefined))
    this.#repairWaiting()
  }

  /**
   * Makes every stripe whole, for a time in which nobody uses the table.
   * @throws StoreLockTimeoutError; StoreImageError while other threads are attached.
   */
  comeToRest(): void {
    if (this.isShared) throw new StoreImageError('other threads use the table')
    this.tick()
    for (let stripe = 0; stripe < this.memory.stripes; stripe++)
      this.withStripe(stripe, () => this.#checkPoolLocked(stripe))
  }

  /** Whether another thread is attached, or one that has died is not recovered yet. */
  get isShared(): boolean {
    const { control, slotsAt } = this.memory
    for (let slot = 0; slot < THREAD_SLOTS; slot++) {
      if (slot !== this.slot && Atomics.load(control, slotsAt + slot) !== 0) return true
    }
    return false
  }

  /** A damaged stripe that nobody uses may have somebody waiting for a key. */
  #repairWaiting(): void {
    const { control, stripes } = this.memory
    for (let stripe = 0; stripe < stripes; stripe++) {
      // Read without the lock: what is seen too late is seen by the next sweep.
      const marks = control[this.memory.stripeAt(stripe) + Stripe.Marks]!
      if ((marks & Mark.Damaged) !== 0) this.#withStripeIfFree(stripe, () => undefined)
    }
  }

  /**
   * Drops everything, now or, at each stripe's first use after it, in `delayMs`. A later flush takes a pending one's place.
   * @throws StoreLockTimeoutError
   */
  flush(delayMs: number): void {
    this.tick()
    // A flush that is due has happened, even if not every stripe has noticed yet.
    this.#finishFlush((stripe) => this.withStripe(stripe, () => undefined))
    this.memory.doubles[GlobalDouble.FlushAtMs] = delayMs > 0 ? this.nowMs + delayMs : 0
    if (delayMs > 0) return
    for (let stripe = 0; stripe < this.memory.stripes; stripe++)
      this.withStripe(stripe, () => this.#emptyLocked(stripe))
  }

  /** Repairs and frees what the ended thread `threadId` held, and gives its slots back. */
  recover(ended: number): void {
    const { control } = this.memory
    for (const slot of slotsOf(this.memory, ended)) {
      const dead = ownerWord(slot)
      this.horizon.recover(dead)
      // The pool first: repairing a stripe gives pages back.
      if (seize(control, Global.PoolLock, dead, this.#owner)) {
        this.pool.rebuildLocked()
        release(control, Global.PoolLock)
      }
      for (let stripe = 0; stripe < this.memory.stripes; stripe++) {
        if (!seize(control, this.memory.stripeAt(stripe) + Stripe.Lock, dead, this.#owner)) continue
        this.#finish(stripe, () => this.#repairLocked(stripe))
      }
      this.#abandonAll(slot)
      freeSlot(this.memory, slot)
    }
  }

  #repairLocked(stripe: number): void {
    this.#repairer.repairLocked(stripe)
    this.#handOver?.repairLocked(stripe)
  }

  /** Ends the waits of a thread, and what was bound to its connections. */
  #abandonAll(slot: number): void {
    const { waiters } = this
    for (let waiter = 1; waiter <= this.memory.waiters; waiter++) {
      if (waiters.ownerOf(waiter) !== slot) continue
      const stripe = waiters.stripeOf(waiter)
      this.withStripe(stripe, () => {
        this.#handOver?.abandonLocked(stripe, waiter)
        this.#checkPoolLocked(stripe)
      })
    }
  }

  close(): void {
    this.#abandonAll(this.slot)
    freeSlot(this.memory, this.slot)
  }

  /** Stripes that nobody has used since a delayed flush fell due still hold its victims: locking alone drops them. */
  #finishFlush(lockOnce: (stripe: number) => void): void {
    const { doubles, stripes } = this.memory
    const dueMs = doubles[GlobalDouble.FlushAtMs]!
    for (let stripe = 0; stripe < stripes && this.nowMs >= dueMs; stripe++) {
      const flushedAt = (this.memory.stripeAt(stripe) >> 1) + StripeDouble.FlushedAtMs
      if (doubles[flushedAt] !== dueMs) lockOnce(stripe)
    }
  }

  #makeFitLocked(stripe: number): void {
    const { control, doubles } = this.memory
    const at = this.memory.stripeAt(stripe)
    try {
      if ((control[at + Stripe.Marks]! & Mark.Damaged) !== 0) this.#repairLocked(stripe)
      const dueMs = doubles[GlobalDouble.FlushAtMs]!
      const flushedAt = (at >> 1) + StripeDouble.FlushedAtMs
      const isDue = dueMs === 0 || this.nowMs >= dueMs
      if (isDue && dueMs !== 0 && doubles[flushedAt] !== dueMs) this.#emptyLocked(stripe)
      if (isDue) doubles[flushedAt] = dueMs
      // Those who waited come before whatever the stripe was locked for.
      if ((control[at + Stripe.Marks]! & Mark.Changed) !== 0) this.#handOver?.settleLocked(stripe)
    } catch (error) {
      this.breakOffLocked(stripe)
      this.unlock(stripe)
      throw error
    }
  }

  /**
   * Drops all but pinned items. Queues go first: entries that lead to no page of the stripe are what a repair drops.
   * @throws StoreLockTimeoutError when not every page could be given back; the items are dropped even so.
   */
  #emptyLocked(stripe: number): void {
    const { control } = this.memory
    const at = this.memory.stripeAt(stripe)
    const keeps = control[at + Stripe.PinnedItems] !== 0
    this.log.dropQueueLocked(stripe, QueueName.Small)
    this.log.dropQueueLocked(stripe, QueueName.Main)
    if (!keeps) {
      this.log.dropQueueLocked(stripe, QueueName.Pinned)
      this.index.dropLocked(stripe)
    }
    control[at + Stripe.Items] = 0
    control[at + Stripe.PinnedItems] = 0
    control.fill(0, at + Stripe.Classes, at + Stripe.ClassUnits + SIZE_CLASSES)
    if (keeps) this.#keepPinnedLocked(stripe)
    this.changes.noteAllLocked(stripe)
    this.#checkPoolLocked(stripe)
  }

  /** What is not pinned has no page any more: its entries go, and the others are counted afresh. */
  #keepPinnedLocked(stripe: number): void {
    const { memory, log } = this
    this.index.retainLocked(stripe, (location) => {
      const page = location >>> memory.pageUnitsShift
      const { control } = memory
      const owner = control[memory.pageAt(page) + Page.Owner]!
      if (stripeOf(owner) !== stripe || log.kindOf(page) !== PageKind.Pinned) return false
      this.items.recountLocked(stripe, this.walk.at(location))
      return true
    })
  }
}
