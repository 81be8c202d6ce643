/**
 * The shared memory of a table read as plain facts, for the invariants to be checked on. Nothing here writes, and
 * nothing may be running meanwhile.
 */
import type { Key as KeyType, StoreHandle } from 'latchkey/store'
import { HashIndex } from '#dist/store/hash-index.js'
import { Key } from '#dist/store/key.js'
import { Page, PageKind, Queue, Stripe } from '#dist/store/layout.js'
import { Log } from '#dist/store/log.js'
import { Memory } from '#dist/store/memory.js'
import { PagePool, stripeOf } from '#dist/store/pages.js'
import { leadingUnits, RecordCursor } from '#dist/store/records.js'

/** A stretch of one page that a record takes, in units from the page's start. */
export interface Piece {
  readonly page: number
  readonly from: number
  readonly to: number
}

export interface FoundRecord {
  readonly location: number
  readonly stripe: number
  readonly key: string
  readonly state: number
  readonly units: number
  readonly leading: number
  readonly expiresAtMs: number
  /** The stripe that its key hashes to, and where a look-up of its key leads. */
  readonly homeStripe: number
  readonly foundAt: number
  readonly pieces: readonly Piece[]
}

export class Inspection {
  readonly memory: Memory
  readonly log: Log
  readonly index: HashIndex
  readonly cursor: RecordCursor
  readonly #key: KeyType

  constructor(handle: StoreHandle) {
    this.memory = new Memory(handle.memory)
    this.log = new Log(this.memory, new PagePool(this.memory, 0, 0))
    this.#key = new Key(handle.seed, this.memory.stripes)
    this.cursor = new RecordCursor(this.memory)
    this.index = new HashIndex(
      this.memory,
      this.log,
      new RecordCursor(this.memory),
      new Key(handle.seed, this.memory.stripes),
    )
  }

  page(page: number, cell: number): number {
    return this.memory.control[this.memory.pageAt(page) + cell]!
  }

  stripe(stripe: number, cell: number): number {
    return this.memory.control[this.memory.stripeAt(stripe) + cell]!
  }

  queue(stripe: number, queue: number, cell: number): number {
    return this.memory.control[this.log.queueAt(stripe, queue) + cell]!
  }

  pagesOf(stripe: number): number[] {
    const pages: number[] = []
    for (let page = 1; page <= this.memory.pages; page++) {
      if (stripeOf(this.page(page, Page.Owner)) === stripe) pages.push(page)
    }
    return pages
  }

  /** The index pages that the stripe's directory leads to. */
  directoryOf(stripe: number): number[] {
    const pages: number[] = []
    for (let entry = 0; entry < 1 << this.stripe(stripe, Stripe.Depth); entry++) {
      const page = this.index.pageAtEntryLocked(stripe, entry)
      if (page !== 0) pages.push(page)
    }
    return pages
  }

  recordsOf(stripe: number): FoundRecord[] {
    const records: FoundRecord[] = []
    for (const page of this.directoryOf(stripe)) {
      if (this.log.kindOf(page) !== PageKind.Index) continue
      this.index.eachInPage(page, (location) => records.push(this.#recordAt(stripe, location)))
    }
    return records
  }

  /** The pages of a queue from its oldest end, at most as many as there are pages at all. */
  listOf(stripe: number, queue: number): number[] {
    const pages: number[] = []
    let page = this.queue(stripe, queue, Queue.Tail)
    while (page > 0 && page <= this.memory.pages && pages.length <= this.memory.pages) {
      pages.push(page)
      page = this.page(page, Page.Next)
    }
    return pages
  }

  #recordAt(stripe: number, location: number): FoundRecord {
    const record = this.cursor.at(location)
    const { state, units, fields, keyLength, expiresAtMs } = record
    record.readKey(this.#key)
    const bytes = Buffer.from(this.#key.words.buffer, 0, keyLength)
    return {
      location,
      stripe,
      key: bytes.toString('latin1'),
      state,
      units,
      leading: leadingUnits(fields, keyLength),
      expiresAtMs,
      homeStripe: this.#key.stripe,
      foundAt: this.index.findLocked(this.#key),
      pieces: this.#piecesOf(location, units),
    }
  }

  #piecesOf(location: number, units: number): Piece[] {
    const { pageUnits, pageUnitsShift } = this.memory
    const pieces: Piece[] = []
    let page = location >>> pageUnitsShift
    let from = location & (pageUnits - 1)
    for (let left = units; left > 0 && page > 0 && page <= this.memory.pages; ) {
      const to = Math.min(pageUnits, from + left)
      pieces.push({ page, from, to })
      left -= to - from
      from = 0
      page = this.page(page, Page.Continuation)
    }
    return pieces
  }
}
