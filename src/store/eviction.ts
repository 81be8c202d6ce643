/**
 * Making room: eviction and compaction are one mechanism, a pass over a log page that copies what is to stay.
 *
 * The policy is S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache eviction", SOSP
 * 2023): new items enter a small queue; those read again before they reach its end move to the main queue, the
 * others go and leave a ghost, and a key whose ghost is still there enters the main queue at once. The main queue
 * gives every item that was read another round. Pinned items are never evicted, only compacted.
 */
import { ClassCounter, Counter, type Counters } from './counters.js'
import type { HashIndex } from './hash-index.js'
import { countExpired, type Items, sizeClass } from './items.js'
import type { Key } from './key.js'
import { Global, Page, Queue, QueueName, State, Stripe } from './layout.js'
import type { Log } from './log.js'
import type { Memory } from './memory.js'
import { leadingUnits, type RecordCursor } from './records.js'

/** Share of a stripe's log pages that the small queue keeps. */
const SMALL_SHARE = 0.1
/** Hits that take an item from the small queue to the main queue. */
const PROMOTE_HITS = 1
/** When more of a stripe's log than this is dead, the emptiest page is compacted instead of anything evicted. */
const GARBAGE_SHARE = 0.1
/** A page fuller than this is not worth compacting. */
const COMPACT_LIVE_SHARE = 0.75

export class Evictor {
  readonly #memory: Memory
  readonly #log: Log
  readonly #index: HashIndex
  readonly #counters: Counters
  readonly #items: Items
  /** The walk's own cursor and key: the index moves the shared ones. */
  readonly #walk: RecordCursor
  readonly #copy: RecordCursor
  readonly #key: Key
  /** Called with the walk's cursor on an item that is about to be evicted. */
  onEviction: (() => void) | undefined

  constructor(parts: {
    memory: Memory
    log: Log
    index: HashIndex
    items: Items
    counters: Counters
    walk: RecordCursor
    copy: RecordCursor
    key: Key
  }) {
    this.#memory = parts.memory
    this.#log = parts.log
    this.#index = parts.index
    this.#items = parts.items
    this.#counters = parts.counters
    this.#walk = parts.walk
    this.#copy = parts.copy
    this.#key = parts.key
  }

  /**
   * Frees about one page of the stripe.
   * @returns false when there is nothing that could be given up.
   */
  makeRoomLocked(stripe: number, nowMs: number, mayEvict: boolean): boolean {
    const threshold = mayEvict ? GARBAGE_SHARE : 0
    const emptiest = this.#garbageShareLocked(stripe) > threshold ? this.#emptiestPageLocked(stripe) : 0
    if (emptiest !== 0) {
      this.#passLocked(stripe, emptiest, nowMs, false)
      return true
    }
    if (!mayEvict) return false
    const page = this.#oldestPageLocked(stripe)
    if (page === 0) return false
    this.#passLocked(stripe, page, nowMs, true)
    return true
  }

  /** Drops what has expired in a page, and finds out when the next thing in it will. */
  sweepPageLocked(stripe: number, page: number, nowMs: number): void {
    // Set before the walk, which may free the page, and lowered again as the walk finds what is left.
    this.#log.forgetExpiryLocked(page)
    this.#eachRecordLocked(stripe, page, () => {
      this.#counters.add(Counter.crawlerItemsChecked)
      const { expiresAtMs } = this.#walk
      if (expiresAtMs === 0) return
      if (expiresAtMs > nowMs) this.#log.noteExpiryLocked(this.#walk.location, expiresAtMs)
      else if (this.#findWalkedLocked()) this.#dropExpiredLocked(stripe, true)
    })
  }

  /**
   * Calls `visit` with the walk's cursor on every record that begins in the page and is not known to be dead.
   * @returns whether something still lives in the page. If not, it is no longer this stripe's.
   */
  #eachRecordLocked(stripe: number, page: number, visit: () => void): boolean {
    const { control, pageUnits } = this.#memory
    const at = this.#memory.pageAt(page)
    // A page held by the walk is not freed under it: one unit more lives in it than its records say.
    control[at + Page.LiveUnits]! += 1
    for (let unit = control[at + Page.First]!; unit < control[at + Page.Used]!; ) {
      this.#walk.at(page * pageUnits + unit)
      const { units, state } = this.#walk
      if ((state & State.Dead) === 0) visit()
      unit += units
    }
    const live = control[at + Page.LiveUnits]! - 1
    control[at + Page.LiveUnits] = live
    if (live === 0) this.#log.emptyPageLocked(stripe, page)
    return live !== 0
  }

  #passLocked(stripe: number, page: number, nowMs: number, evict: boolean): void {
    const queue = this.#log.kindOf(page) as QueueName
    const { control } = this.#memory
    // Survivors must not be appended to the very page they leave.
    if (control[this.#log.queueAt(stripe, queue) + Queue.Open] === page) this.#log.closeLocked(stripe, queue)
    const pass = () => {
      if (!this.#findWalkedLocked()) return
      const { expiresAtMs } = this.#walk
      if (expiresAtMs !== 0 && expiresAtMs <= nowMs) this.#dropExpiredLocked(stripe, false)
      else this.#passRecordLocked(stripe, queue, evict)
    }
    // What runs into the page from the one before keeps it as well, and begins elsewhere.
    if (this.#eachRecordLocked(stripe, page, pass) && this.#walkToSpill(page)) pass()
  }

  /** Moves the walk to the record that runs over into `page` from a page before it. False when there is none. */
  #walkToSpill(page: number): boolean {
    const { control, pageUnits } = this.#memory
    let origin = page
    do {
      origin = control[this.#memory.pageAt(origin) + Page.Previous]!
      if (origin === 0) return false
    } while (control[this.#memory.pageAt(origin) + Page.First]! >= control[this.#memory.pageAt(origin) + Page.Used]!)
    let last = 0
    for (let unit = control[this.#memory.pageAt(origin) + Page.First]!; unit < pageUnits; ) {
      if (unit >= control[this.#memory.pageAt(origin) + Page.Used]!) return false
      last = unit
      unit += this.#walk.at(origin * pageUnits + unit).units
    }
    this.#walk.at(origin * pageUnits + last)
    return (this.#walk.state & State.Dead) === 0
  }

  /** The record under the walk's cursor stays, moves or goes. */
  #passRecordLocked(stripe: number, queue: QueueName, evict: boolean): void {
    const { frequency } = this.#walk
    if (!evict || queue === QueueName.Pinned) {
      if (this.#keepLocked(stripe, queue, frequency)) this.#counters.add(Counter.compactedItems)
      else if (queue !== QueueName.Pinned) this.#evictLocked(stripe, false)
    } else if (queue === QueueName.Small && frequency >= PROMOTE_HITS) {
      if (this.#keepLocked(stripe, QueueName.Main, 0)) this.#counters.add(Counter.promotedItems)
      else this.#evictLocked(stripe, false)
    } else if (queue === QueueName.Main && frequency > 0) {
      if (!this.#keepLocked(stripe, QueueName.Main, frequency - 1)) this.#evictLocked(stripe, false)
    } else this.#evictLocked(stripe, queue === QueueName.Small)
  }

  /** Copies the walked record to the newest end of `queue`. False when the pool has no page left even in reserve. */
  #keepLocked(stripe: number, queue: QueueName, frequency: number): boolean {
    const { location, units, fields, keyLength } = this.#walk
    const page = location >>> this.#memory.pageUnitsShift
    if (this.#log.isLarge(page)) {
      this.#log.moveLargeLocked(stripe, page, queue, units)
      this.#walk.frequency = frequency
      return true
    }
    const target = this.#log.appendLocked(stripe, queue, units, leadingUnits(fields, keyLength), true)
    if (target === 0) return false
    this.#copy.at(target).copyRecord(this.#walk)
    this.#copy.frequency = frequency
    if (this.#copy.expiresAtMs !== 0) this.#log.noteExpiryLocked(target, this.#copy.expiresAtMs)
    this.#index.replaceLocked(target)
    this.#walk.state |= State.Dead
    this.#log.releaseLocked(stripe, location, units)
    return true
  }

  #evictLocked(stripe: number, ghost: boolean): void {
    const { state, units, accessSeconds } = this.#walk
    const size = sizeClass(units)
    const counters = this.#counters
    const fetched = (state & State.Fetched) !== 0
    this.onEviction?.()
    counters.add(Counter.evictions)
    counters.add(fetched ? Counter.evictedActive : Counter.evictedUnfetched)
    counters.addOfClass(ClassCounter.evicted, size)
    counters.addOfClass(fetched ? ClassCounter.evictedActive : ClassCounter.evictedUnfetched, size)
    if ((state & State.HasExpiry) !== 0 && this.#walk.expiresAtMs !== 0)
      counters.addOfClass(ClassCounter.evictedNonzero, size)
    const { control, evictedIdleAt } = this.#memory
    control[evictedIdleAt + size] = Math.max(0, control[Global.CoarseSeconds]! - accessSeconds)
    this.#items.unlinkLocked(stripe, this.#key, this.#walk, ghost)
  }

  #dropExpiredLocked(stripe: number, crawling: boolean): void {
    const counters = this.#counters
    if (crawling) {
      counters.add(Counter.crawlerReclaimed)
      counters.addOfClass(ClassCounter.crawlerReclaimed, sizeClass(this.#walk.units))
    }
    countExpired(counters, this.#walk)
    this.#items.unlinkLocked(stripe, this.#key, this.#walk, false)
  }

  /** True when the index leads to the walked record itself: one that was never published, or replaced, is not live. */
  #findWalkedLocked(): boolean {
    this.#walk.readKey(this.#key)
    return this.#index.findLocked(this.#key) === this.#walk.location
  }

  #garbageShareLocked(stripe: number): number {
    const { control, pageUnits } = this.#memory
    let pages = 0
    let live = 0
    for (let queue: number = QueueName.Small; queue <= QueueName.Pinned; queue++) {
      const at = this.#log.queueAt(stripe, queue)
      // The open page is half empty by nature.
      pages += control[at + Queue.Pages]! - (control[at + Queue.Open] === 0 ? 0 : 1)
      live += control[at + Queue.LiveUnits]!
    }
    return pages <= 0 ? 0 : 1 - live / (pages * pageUnits)
  }

  #emptiestPageLocked(stripe: number): number {
    const { control, pageUnits } = this.#memory
    let emptiest = 0
    let least = COMPACT_LIVE_SHARE * pageUnits
    for (let queue: number = QueueName.Small; queue <= QueueName.Pinned; queue++) {
      const queueAt = this.#log.queueAt(stripe, queue)
      const open = control[queueAt + Queue.Open]
      for (let page = control[queueAt + Queue.Tail]!; page !== 0; ) {
        const at = this.#memory.pageAt(page)
        const live = control[at + Page.LiveUnits]!
        if (live < least && page !== open && !this.#log.isLarge(page)) {
          least = live
          emptiest = page
        }
        page = control[at + Page.Next]!
      }
    }
    return emptiest
  }

  /** The page whose turn it is: from the small queue while that has more than its share, else from the main queue. */
  #oldestPageLocked(stripe: number): number {
    const { control } = this.#memory
    const small = this.#log.queueAt(stripe, QueueName.Small)
    const main = this.#log.queueAt(stripe, QueueName.Main)
    const smallPages = control[small + Queue.Pages]!
    const mainPages = control[main + Queue.Pages]!
    const fromSmall = mainPages === 0 || smallPages > SMALL_SHARE * (smallPages + mainPages)
    return control[(fromSmall && smallPages > 0 ? small : main) + Queue.Tail]!
  }

  /** Pages of a stripe that could be given up, as last seen; for choosing whom to ask. */
  evictablePages(stripe: number): number {
    const { control } = this.#memory
    const pinned = this.#log.queueAt(stripe, QueueName.Pinned)
    return control[this.#memory.stripeAt(stripe) + Stripe.Pages]! - control[pinned + Queue.Pages]!
  }
}
