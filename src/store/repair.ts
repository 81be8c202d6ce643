/**
 * Putting a stripe right after its lock holder died, or threw, in the middle of a change.
 *
 * What can be trusted: a page's owner cell; an index entry, because its one word is written last; and a record that
 * an entry leads to, because it is complete before the entry is written, unless it says that it was being
 * overwritten in place. Everything else (lists, counts, the directory) is made anew from these.
 */
import { Counter, type Counters } from './counters.js'
import type { HashIndex } from './hash-index.js'
import type { Items } from './items.js'
import type { Key } from './key.js'
import {
  KEY_MAX,
  Mark,
  Page,
  PageKind,
  QUEUE_WORDS,
  QueueName,
  RECORD_WORDS,
  SIZE_CLASSES,
  State,
  Stripe,
} from './layout.js'
import type { Log } from './log.js'
import type { Memory } from './memory.js'
import { type PagePool, stripeOf } from './pages.js'
import type { RecordCursor } from './records.js'

export class Repairer {
  readonly #memory: Memory
  readonly #pool: PagePool
  readonly #log: Log
  readonly #index: HashIndex
  readonly #items: Items
  readonly #counters: Counters
  readonly #record: RecordCursor
  readonly #key: Key

  constructor(parts: {
    memory: Memory
    pool: PagePool
    log: Log
    index: HashIndex
    items: Items
    counters: Counters
    record: RecordCursor
    key: Key
  }) {
    this.#memory = parts.memory
    this.#pool = parts.pool
    this.#log = parts.log
    this.#index = parts.index
    this.#items = parts.items
    this.#counters = parts.counters
    this.#record = parts.record
    this.#key = parts.key
  }

  /**
   * Makes a stripe whole whose lock this thread holds. Items that were being overwritten in place are lost.
   * @throws StoreLockTimeoutError when the pool cannot be had: the stripe is damaged as before.
   */
  repairLocked(stripe: number): void {
    const { control } = this.#memory
    // First, as what is done here may find the pool locked and leave a page for the next repair.
    control[this.#memory.stripeAt(stripe) + Stripe.Marks]! &= ~Mark.Damaged
    const pages = this.#pagesOf(stripe)
    const locations = this.#liveLocations(stripe, pages)
    for (const page of pages) control[this.#memory.pageAt(page) + Page.LiveUnits] = 0
    const ends = new Map<number, number>()
    const successors = new Map<number, number>()
    for (const location of locations) this.#countPieces(location, ends, successors)

    this.#clearCells(stripe)
    const oldIndex = pages.filter((page) => this.#log.kindOf(page) === PageKind.Index)
    const unused = pages.filter((page) => !ends.has(page) && this.#log.kindOf(page) !== PageKind.Index)
    for (const [page, end] of ends) this.#endAt(page, end)
    this.#relink(stripe, [...ends.keys()], successors)
    // From here on they are other stripes' pages: nothing of theirs is looked at again.
    for (const page of unused) this.#pool.give(page)
    for (const location of locations) this.#reindex(stripe, location, oldIndex)
    // The old index goes last: should this thread die as well, it still leads to everything.
    for (const page of oldIndex) this.#pool.give(page)
    this.#counters.add(Counter.repairs)
  }

  #pagesOf(stripe: number): number[] {
    const { control, pages } = this.#memory
    const owned: number[] = []
    for (let page = 1; page <= pages; page++) {
      if (stripeOf(control[this.#memory.pageAt(page) + Page.Owner]!) === stripe) owned.push(page)
    }
    return owned
  }

  /** Every record that some index page of the stripe leads to and that is whole; each once. */
  #liveLocations(stripe: number, pages: number[]): Set<number> {
    const locations = new Set<number>()
    for (const page of pages) {
      if (this.#log.kindOf(page) !== PageKind.Index) continue
      this.#index.eachInPage(page, (location) => {
        if (this.#isWhole(stripe, location)) locations.add(location)
        else this.#counters.add(Counter.repairDropped)
      })
    }
    return locations
  }

  #isWhole(stripe: number, location: number): boolean {
    const first = location >>> this.#memory.pageUnitsShift
    if (!this.#isLogPageOf(stripe, first) || this.#log.isContinued(first)) return false
    const { state, keyLength, words, index } = this.#record.at(location)
    if ((state & (State.Busy | State.Dead)) !== 0 || keyLength < 1 || keyLength > KEY_MAX) return false
    if (index + RECORD_WORDS > words.length) return false
    this.#record.readKey(this.#key)
    if (this.#key.stripe !== stripe) return false
    let whole = true
    this.#eachPiece(location, (page) => {
      whole &&= this.#isLogPageOf(stripe, page)
      return whole
    })
    return whole
  }

  #isLogPageOf(stripe: number, page: number): boolean {
    if (page < 1 || page > this.#memory.pages) return false
    const owner = this.#memory.control[this.#memory.pageAt(page) + Page.Owner]!
    return stripeOf(owner) === stripe && this.#log.kindOf(page) !== PageKind.Index
  }

  /** Counts a live record's units in its pages, and notes where it ends in each and how they follow each other. */
  #countPieces(location: number, ends: Map<number, number>, successors: Map<number, number>): void {
    const { control } = this.#memory
    const kind = this.#log.kindOf(location >>> this.#memory.pageUnitsShift)
    let before = 0
    this.#eachPiece(location, (page, end, units) => {
      // A large record that was just changing its queue may have pages of both.
      this.#log.setKindLocked(page, kind)
      control[this.#memory.pageAt(page) + Page.LiveUnits]! += units
      ends.set(page, Math.max(ends.get(page) ?? 0, end))
      if (before !== 0) successors.set(before, page)
      before = page
      return true
    })
  }

  /** Whatever lies behind the last live record of a page may be half-written, and a walk must not come upon it. */
  #endAt(page: number, end: number): void {
    const { control } = this.#memory
    const at = this.#memory.pageAt(page)
    control[at + Page.Used] = Math.max(end, control[at + Page.First]!)
    // When the next item here expires is not known for sure: the sweep is to look.
    control[at + Page.SoonestSeconds] = 0
  }

  /** Lines the pages that live up again. One that a value runs over into comes right behind the one it comes from. */
  #relink(stripe: number, live: number[], successors: Map<number, number>): void {
    const follows = new Set(successors.values())
    for (const page of live) {
      if (follows.has(page)) continue
      for (let next: number | undefined = page; next !== undefined; next = successors.get(next))
        this.#log.relinkLocked(stripe, next)
    }
  }

  /** Visits the pages that a record lies in: page, unit where its piece ends, units of the piece. */
  #eachPiece(location: number, visit: (page: number, end: number, units: number) => boolean): void {
    const { control, pageUnits, pageUnitsShift } = this.#memory
    let page = location >>> pageUnitsShift
    let offset = location & (pageUnits - 1)
    for (let left = this.#record.at(location).units; left > 0; ) {
      const here = Math.min(left, pageUnits - offset)
      if (!visit(page, offset + here, here)) return
      left -= here
      offset = 0
      page = control[this.#memory.pageAt(page) + Page.Continuation]!
    }
  }

  #clearCells(stripe: number): void {
    const { control } = this.#memory
    const at = this.#memory.stripeAt(stripe)
    control[at + Stripe.Items] = 0
    control[at + Stripe.Pages] = 0
    control[at + Stripe.PinnedItems] = 0
    control.fill(0, at + Stripe.Queues, at + Stripe.Queues + (QueueName.Pinned + 1) * QUEUE_WORDS)
    control.fill(0, at + Stripe.Classes, at + Stripe.ClassUnits + SIZE_CLASSES)
    this.#index.forgetLocked(stripe)
  }

  /**
   * Enters a live record into the new index. When the pool has no page for that, old index pages are given up
   * one by one; a record that finds no place even then is dropped.
   */
  #reindex(stripe: number, location: number, oldIndex: number[]): void {
    const record = this.#record.at(location)
    record.readKey(this.#key)
    const isFirst = this.#index.findLocked(this.#key) === 0
    while (isFirst) {
      if (this.#index.insertLocked(this.#key, location, true)) {
        this.#items.recountLocked(stripe, record)
        return
      }
      const page = oldIndex.pop()
      if (page === undefined) break
      this.#pool.give(page)
    }
    this.#counters.add(Counter.repairDropped)
    const { units } = record
    record.state |= State.Dead
    this.#log.releaseLocked(stripe, location, units)
  }
}
