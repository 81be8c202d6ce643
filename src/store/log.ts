/**
 * Append-only queues of pages. Each stripe has three: small (new items), main (items that were read again) and
 * pinned. Records are packed and may run on into the next page; one of more than `LARGE_PAGES` pages has its pages
 * to itself, so that it can change queue without being copied. Space is given back by the page, as soon as
 * nothing in a page lives. Names end in `Locked`: the stripe's lock is held.
 */
import { StoreLockTimeoutError } from './errors.js'
import {
  CONTINUED_PAGE,
  KIND_MASK,
  LARGE_PAGE,
  Mark,
  NO_EXPIRY_SECONDS,
  Page,
  PageKind,
  QUEUE_WORDS,
  Queue,
  type QueueName,
  Stripe,
} from './layout.js'
import type { Memory } from './memory.js'
import { ownerOf, type PagePool } from './pages.js'

/** A packed record is at most this many pages, which bounds what an eviction may have to copy. */
const LARGE_PAGES = 8

export class Log {
  readonly #memory: Memory
  readonly #pool: PagePool

  constructor(memory: Memory, pool: PagePool) {
    this.#memory = memory
    this.#pool = pool
  }

  /** First control word of a queue. */
  queueAt(stripe: number, queue: number): number {
    return this.#memory.stripeAt(stripe) + Stripe.Queues + queue * QUEUE_WORDS
  }

  /** The queue that a page belongs to, or `PageKind.Index`. */
  kindOf(page: number): number {
    return this.#memory.control[this.#memory.pageAt(page) + Page.Owner]! & KIND_MASK
  }

  isLarge(page: number): boolean {
    return (this.#memory.control[this.#memory.pageAt(page) + Page.Owner]! & LARGE_PAGE) !== 0
  }

  /** True for a further page of a large record: it is in no list, and no record begins in it. */
  isContinued(page: number): boolean {
    return (this.#memory.control[this.#memory.pageAt(page) + Page.Owner]! & CONTINUED_PAGE) !== 0
  }

  /** Pages that a record needs at the most, for making room before the stripe is locked. */
  pagesFor(units: number): number {
    return Math.ceil(units / this.#memory.pageUnits) + 1
  }

  /**
   * Finds room for a record of `units`, the first `leading` of them in one page, and counts it as live.
   * @returns its location, or 0 when the pool has no pages: then nothing has changed but, perhaps, pages at the end
   *   of the queue that wait for the next record.
   */
  appendLocked(stripe: number, queue: QueueName, units: number, leading: number, useReserve: boolean): number {
    const { control, pageUnits } = this.#memory
    const queueAt = this.queueAt(stripe, queue)
    if (units > LARGE_PAGES * pageUnits) return this.#appendLargeLocked(stripe, queue, units, useReserve)
    let page = control[queueAt + Queue.Open]!
    if (page === 0 || pageUnits - control[this.#memory.pageAt(page) + Page.Used]! < leading) {
      page = this.#openLocked(stripe, queue, useReserve)
      if (page === 0) return 0
    }
    const at = this.#memory.pageAt(page)
    const used = control[at + Page.Used]!
    const here = Math.min(units, pageUnits - used)
    if (here < units && !this.#continueLocked(stripe, queue, page, units - here, useReserve)) return 0
    control[at + Page.Used] = used + here
    control[at + Page.LiveUnits]! += here
    this.#countLive(queueAt, units)
    return page * pageUnits + used
  }

  /** Gives a record's units back, and every page in which nothing lives any more. */
  releaseLocked(stripe: number, location: number, units: number): void {
    const { control, pageUnits, pageUnitsShift } = this.#memory
    let page = location >>> pageUnitsShift
    const kind = this.kindOf(page)
    this.#countLive(this.queueAt(stripe, kind), -units)
    let left = units
    let offset = location & (pageUnits - 1)
    while (left > 0) {
      const at = this.#memory.pageAt(page)
      const here = Math.min(left, pageUnits - offset)
      const next = control[at + Page.Continuation]!
      const live = control[at + Page.LiveUnits]! - here
      control[at + Page.LiveUnits] = live
      if (live === 0) this.emptyPageLocked(stripe, page)
      left -= here
      offset = 0
      page = next
    }
  }

  /** Frees a page in which nothing lives; the open page of a queue starts over instead. */
  emptyPageLocked(stripe: number, page: number): void {
    const { control } = this.#memory
    const at = this.#memory.pageAt(page)
    const kind = this.kindOf(page)
    if (kind !== PageKind.Index) {
      if (control[this.queueAt(stripe, kind) + Queue.Open] === page) {
        control[at + Page.Used] = 0
        control[at + Page.First] = 0
        control[at + Page.SoonestSeconds] = NO_EXPIRY_SECONDS
        return
      }
      if (!this.isContinued(page)) this.#unlinkLocked(stripe, kind, page)
    }
    this.#givePageLocked(stripe, page)
  }

  /** Moves a large record to the newest end of `queue` without copying it. */
  moveLargeLocked(stripe: number, first: number, queue: QueueName, units: number): void {
    const { control } = this.#memory
    const from = this.queueAt(stripe, this.kindOf(first))
    const to = this.queueAt(stripe, queue)
    this.#unlinkLocked(stripe, this.kindOf(first), first)
    for (let page = first; page !== 0; page = control[this.#memory.pageAt(page) + Page.Continuation]!) {
      const continued = page === first ? 0 : CONTINUED_PAGE
      control[this.#memory.pageAt(page) + Page.Owner] = ownerOf(stripe, queue | LARGE_PAGE | continued)
      control[from + Queue.Pages]! -= 1
      control[to + Queue.Pages]! += 1
    }
    this.#linkLocked(stripe, queue, first)
    this.#countLive(from, -units)
    this.#countLive(to, units)
  }

  /** Closes the open page of a queue, so that it can be evicted like any other. */
  closeLocked(stripe: number, queue: number): void {
    this.#memory.control[this.queueAt(stripe, queue) + Queue.Open] = 0
  }

  /** Notes that a record expires at `ms`, for the sweep. */
  noteExpiryLocked(location: number, ms: number): void {
    const { control } = this.#memory
    const at = this.#memory.pageAt(location >>> this.#memory.pageUnitsShift)
    const seconds = Math.min(Math.floor(ms / 1000), NO_EXPIRY_SECONDS - 1)
    if (seconds < control[at + Page.SoonestSeconds]!) control[at + Page.SoonestSeconds] = seconds
  }

  /** Tells the sweep that nothing in a page expires. */
  forgetExpiryLocked(page: number): void {
    this.#memory.control[this.#memory.pageAt(page) + Page.SoonestSeconds] = NO_EXPIRY_SECONDS
  }

  /** Gives back every page of a queue, whatever lives in them. */
  dropQueueLocked(stripe: number, queue: number): void {
    const { control } = this.#memory
    const queueAt = this.queueAt(stripe, queue)
    for (let page = control[queueAt + Queue.Tail]!; page !== 0; ) {
      const at = this.#memory.pageAt(page)
      const next = control[at + Page.Next]!
      if (this.isLarge(page)) this.#giveContinuationsLocked(stripe, page)
      this.#givePageLocked(stripe, page)
      page = next
    }
    control.fill(0, queueAt, queueAt + QUEUE_WORDS)
  }

  /** A page that is to be the stripe's index, or 0. Until `becomeIndexLocked` a repair finds nothing in it, and frees it. */
  takeIndexPageLocked(stripe: number, useReserve: boolean): number {
    return this.#takePageLocked(stripe, PageKind.Small, useReserve)
  }

  /** Makes a page whose buckets have been cleared an index page, with local depth 0. */
  becomeIndexLocked(stripe: number, page: number): void {
    this.#countPage(stripe, page, -1)
    this.#memory.control[this.#memory.pageAt(page) + Page.Owner] = ownerOf(stripe, PageKind.Index)
    this.#countPage(stripe, page, 1)
  }

  /** Says which queue a page belongs to, whatever lists it is in. */
  setKindLocked(page: number, queue: number): void {
    const at = this.#memory.pageAt(page) + Page.Owner
    this.#memory.control[at] = (this.#memory.control[at]! & ~KIND_MASK) | queue
  }

  /** Puts a page that a repair found to hold live units back into the counts and, unless continued, its queue. */
  relinkLocked(stripe: number, page: number): void {
    const kind = this.kindOf(page) as QueueName
    this.#countPage(stripe, page, 1)
    this.#countLive(this.queueAt(stripe, kind), this.#memory.control[this.#memory.pageAt(page) + Page.LiveUnits]!)
    if (!this.isContinued(page)) this.#linkLocked(stripe, kind, page)
  }

  #countLive(queueAt: number, units: number): void {
    this.#memory.control[queueAt + Queue.LiveUnits]! += units
  }

  /** Opens a fresh page at the newest end. */
  #openLocked(stripe: number, queue: QueueName, useReserve: boolean): number {
    const page = this.#takePageLocked(stripe, queue, useReserve)
    if (page === 0) return 0
    const queueAt = this.queueAt(stripe, queue)
    const before = this.#memory.control[queueAt + Queue.Open]!
    this.#linkLocked(stripe, queue, page)
    this.#memory.control[queueAt + Queue.Open] = page
    // The page before has stopped being the open one: if nothing in it lives, nobody else will free it.
    if (before !== 0 && this.#memory.control[this.#memory.pageAt(before) + Page.LiveUnits] === 0)
      this.emptyPageLocked(stripe, before)
    return page
  }

  /** Takes the pages that the value running over the end of `page` goes on in. */
  #continueLocked(stripe: number, queue: QueueName, page: number, units: number, useReserve: boolean): boolean {
    const { control, pageUnits } = this.#memory
    const taken: number[] = []
    for (let left = units; left > 0; left -= pageUnits) {
      const next = this.#takePageLocked(stripe, queue, useReserve)
      if (next === 0) {
        for (const unused of taken) this.#givePageLocked(stripe, unused)
        return false
      }
      taken.push(next)
    }
    let left = units
    let before = page
    for (const next of taken) {
      const here = Math.min(left, pageUnits)
      const at = this.#memory.pageAt(next)
      control[at + Page.Used] = here
      control[at + Page.First] = here
      control[at + Page.LiveUnits] = here
      control[this.#memory.pageAt(before) + Page.Continuation] = next
      this.#linkLocked(stripe, queue, next)
      left -= here
      before = next
    }
    control[this.queueAt(stripe, queue) + Queue.Open] = before
    return true
  }

  #appendLargeLocked(stripe: number, queue: QueueName, units: number, useReserve: boolean): number {
    const { control, pageUnits } = this.#memory
    let first = 0
    let before = 0
    for (let left = units; left > 0; left -= pageUnits) {
      const continued = before === 0 ? 0 : CONTINUED_PAGE
      const page = this.#takePageLocked(stripe, queue | LARGE_PAGE | continued, useReserve)
      if (page === 0) {
        if (first !== 0) {
          this.#giveContinuationsLocked(stripe, first)
          this.#givePageLocked(stripe, first)
        }
        return 0
      }
      const here = Math.min(left, pageUnits)
      const at = this.#memory.pageAt(page)
      control[at + Page.Used] = here
      control[at + Page.First] = 0
      control[at + Page.LiveUnits] = here
      if (before === 0) first = page
      else control[this.#memory.pageAt(before) + Page.Continuation] = page
      before = page
    }
    this.#linkLocked(stripe, queue, first)
    this.#countLive(this.queueAt(stripe, queue), units)
    return first * pageUnits
  }

  #giveContinuationsLocked(stripe: number, first: number): void {
    const { control } = this.#memory
    for (let page = control[this.#memory.pageAt(first) + Page.Continuation]!; page !== 0; ) {
      const next = control[this.#memory.pageAt(page) + Page.Continuation]!
      this.#givePageLocked(stripe, page)
      page = next
    }
  }

  #takePageLocked(stripe: number, kind: number, useReserve: boolean): number {
    const page = this.#pool.take(stripe, kind, useReserve)
    if (page !== 0) this.#countPage(stripe, page, 1)
    return page
  }

  /** Never fails: what led to this has happened, and its caller is to be told so. */
  #givePageLocked(stripe: number, page: number): void {
    this.#memory.control[this.#memory.pageAt(page) + Page.SoonestSeconds] = NO_EXPIRY_SECONDS
    this.#countPage(stripe, page, -1)
    if (!this.#couldGiveLocked(stripe, page)) this.#leavePageLocked(stripe, page)
  }

  /** Waits for the pool once: not again in a stripe where it was in vain. */
  #couldGiveLocked(stripe: number, page: number): boolean {
    const marks = this.#memory.control[this.#memory.stripeAt(stripe) + Stripe.Marks]!
    if ((marks & Mark.Damaged) !== 0) return this.#pool.giveIfFree(page)
    try {
      this.#pool.give(page)
      return true
    } catch (error) {
      if (error instanceof StoreLockTimeoutError) return false
      throw error
    }
  }

  /** Leaves a page that is in no list, and not believed to be index, to the stripe's next user, who repairs it first. */
  #leavePageLocked(stripe: number, page: number): void {
    const { control } = this.#memory
    control[this.#memory.pageAt(page) + Page.Owner] = ownerOf(stripe, PageKind.Small)
    control[this.#memory.stripeAt(stripe) + Stripe.Marks]! |= Mark.Damaged
  }

  #countPage(stripe: number, page: number, change: number): void {
    const { control } = this.#memory
    const kind = this.kindOf(page)
    control[this.#memory.stripeAt(stripe) + Stripe.Pages]! += change
    if (kind !== PageKind.Index) control[this.queueAt(stripe, kind) + Queue.Pages]! += change
  }

  #linkLocked(stripe: number, queue: QueueName, page: number): void {
    const { control } = this.#memory
    const queueAt = this.queueAt(stripe, queue)
    const at = this.#memory.pageAt(page)
    const head = control[queueAt + Queue.Head]!
    control[at + Page.Previous] = head
    control[at + Page.Next] = 0
    if (head === 0) control[queueAt + Queue.Tail] = page
    else control[this.#memory.pageAt(head) + Page.Next] = page
    control[queueAt + Queue.Head] = page
  }

  #unlinkLocked(stripe: number, queue: number, page: number): void {
    const { control } = this.#memory
    const queueAt = this.queueAt(stripe, queue)
    const at = this.#memory.pageAt(page)
    const next = control[at + Page.Next]!
    const previous = control[at + Page.Previous]!
    if (previous === 0) control[queueAt + Queue.Tail] = next
    else control[this.#memory.pageAt(previous) + Page.Next] = next
    if (next === 0) control[queueAt + Queue.Head] = previous
    else control[this.#memory.pageAt(next) + Page.Previous] = previous
  }
}
