/**
 * What must hold of a table whenever no operation is under way. Every violation is a line of text, so that a test
 * compares with an empty list and a failure tells all at once.
 */
import type { StoreHandle } from 'latchkey/store'
import { sumCounters } from '#dist/store/counters.js'
import { sizeClass } from '#dist/store/items.js'
import { Key } from '#dist/store/key.js'
import {
  Global,
  KEY_MAX,
  Mark,
  Page,
  PageKind,
  Queue,
  QueueName,
  SIZE_CLASSES,
  State,
  Stripe,
} from '#dist/store/layout.js'
import { stripeOf } from '#dist/store/pages.js'
import { Waiter, WaiterState } from '#dist/store/waiter-layout.js'
import { isInQueue, Waiters } from '#dist/store/waiters.js'
import { type FoundRecord, Inspection } from './inspection.js'

/** Every violation found; empty for a sound table. */
export function violations(handle: StoreHandle): string[] {
  const found: string[] = []
  const inspection = new Inspection(handle)
  const report = (line: string): void => void found.push(line)
  checkPool(inspection, report)
  for (const [name, count] of Object.entries(sumCounters(inspection.memory)))
    if (!(count >= 0)) report(`counter ${name} is ${count}`)
  for (let stripe = 0; stripe < inspection.memory.stripes; stripe++)
    new StripeCheck(inspection, stripe, handle.options.pinnedPrefixes, report).run()
  checkWaiters(inspection, handle, report)
  return found
}

/** Every page is in the list of free pages or has an owner, never both. */
function checkPool(inspection: Inspection, report: (line: string) => void): void {
  const { control, pages, stripes } = inspection.memory
  if (control[Global.PoolLock] !== 0) report(`the pool is locked by ${control[Global.PoolLock]}`)
  const free = new Set<number>()
  for (let page = control[Global.PoolHead]!; page !== 0; page = inspection.page(page, Page.Next)) {
    if (page < 0 || page > pages || free.has(page)) {
      report(`the list of free pages is broken at ${page}`)
      return
    }
    free.add(page)
    if (inspection.page(page, Page.Owner) !== 0) report(`page ${page} is free and owned`)
  }
  if (free.size !== control[Global.PoolFree]) report(`${free.size} pages are free, not ${control[Global.PoolFree]}`)
  let owned = 0
  for (let stripe = 0; stripe < stripes; stripe++) owned += inspection.pagesOf(stripe).length
  if (free.size + owned !== pages) report(`${free.size} free and ${owned} owned pages are not ${pages}`)
}

/** Everybody who waits is in the queue of his stripe, in order of arrival, and for a key that has an item. */
function checkWaiters({ memory, index }: Inspection, handle: StoreHandle, report: (line: string) => void): void {
  const waiters = new Waiters(memory, 0)
  const key = new Key(handle.seed, memory.stripes)
  const queued = new Set<number>()
  for (let stripe = 0; stripe < memory.stripes; stripe++) {
    let before = 0
    for (let waiter = waiters.firstLocked(stripe); waiter !== 0; waiter = waiters.nextLocked(waiter)) {
      if (queued.has(waiter)) {
        report(`stripe ${stripe}: waiter ${waiter} is in the queue twice`)
        return
      }
      queued.add(waiter)
      if (waiters.stripeOf(waiter) !== stripe) report(`waiter ${waiter} is in the queue of another stripe`)
      waiters.readKey(waiter, key)
      if (index.findLocked(key) === 0) report(`waiter ${waiter} waits for a key that is vacant`)
      const at = memory.waiterAt(waiter)
      if (memory.waiterWords[at + Waiter.Previous] !== before) report(`waiter ${waiter}: the one before is wrong`)
      const arrival = (of: number) => memory.waiterWords[memory.waiterAt(of) + Waiter.Arrival]!
      if (before !== 0 && arrival(waiter) - arrival(before) <= 0) report(`waiter ${waiter} has passed ${before}`)
      before = waiter
    }
    const at = memory.stripeAt(stripe)
    if (memory.control[at + Stripe.LastWaiter] !== before) report(`stripe ${stripe}: last waiter is not ${before}`)
    const marks = before === 0 ? 0 : Mark.HasWaiters
    if (memory.control[at + Stripe.Marks] !== marks) report(`stripe ${stripe}: marks are not ${marks}`)
  }
  for (let waiter = 1; waiter <= memory.waiters; waiter++) {
    const state = waiters.stateOf(waiter)
    if (isInQueue(state) !== queued.has(waiter))
      report(`waiter ${waiter} in state ${state}: queued ${queued.has(waiter)}`)
    if (state === WaiterState.Granting) report(`waiter ${waiter} is just being granted`)
  }
}

class StripeCheck {
  readonly #inspection: Inspection
  readonly #stripe: number
  readonly #pinned: readonly string[]
  readonly #report: (line: string) => void
  readonly #records: FoundRecord[]
  readonly #pages: number[]
  /** By page: the stretches that live records take. */
  readonly #taken = new Map<number, { from: number; to: number }[]>()

  constructor(inspection: Inspection, stripe: number, pinned: readonly string[], report: (line: string) => void) {
    this.#inspection = inspection
    this.#stripe = stripe
    this.#pinned = pinned
    this.#report = (line) => report(`stripe ${stripe}: ${line}`)
    this.#records = inspection.recordsOf(stripe)
    this.#pages = inspection.pagesOf(stripe)
  }

  run(): void {
    this.#checkCells()
    this.#checkIndexPages()
    for (const record of this.#records) this.#checkRecord(record)
    this.#checkPages()
    for (let queue: number = QueueName.Small; queue <= QueueName.Pinned; queue++) this.#checkQueue(queue)
  }

  #expect(what: string, actual: number, expected: number): void {
    if (actual !== expected) this.#report(`${what} is ${actual}, not ${expected}`)
  }

  #checkCells(): void {
    const cell = (at: number) => this.#inspection.stripe(this.#stripe, at)
    const classes = new Array<number>(SIZE_CLASSES).fill(0)
    const classUnits = new Array<number>(SIZE_CLASSES).fill(0)
    for (const { units } of this.#records) {
      classes[sizeClass(units)]! += 1
      classUnits[sizeClass(units)]! += units
    }
    this.#expect('the lock', cell(Stripe.Lock), 0)
    this.#expect('the mark of damage', cell(Stripe.Marks) & Mark.Damaged, 0)
    this.#expect('items', cell(Stripe.Items), this.#records.length)
    this.#expect('pages', cell(Stripe.Pages), this.#pages.length)
    this.#expect(
      'pinned items',
      cell(Stripe.PinnedItems),
      this.#records.filter((record) => this.#isPinned(record)).length,
    )
    for (const [size, count] of classes.entries())
      this.#expect(`size class ${size}`, cell(Stripe.Classes + size), count)
    for (const [size, units] of classUnits.entries())
      this.#expect(`units of size class ${size}`, cell(Stripe.ClassUnits + size), units)
  }

  #checkIndexPages(): void {
    const owned = this.#pages.filter((page) => this.#inspection.log.kindOf(page) === PageKind.Index)
    const reachable = this.#inspection.directoryOf(this.#stripe)
    if (String(owned.sort()) !== String(reachable.sort())) this.#report(`index pages ${owned}, directory ${reachable}`)
  }

  #checkRecord(record: FoundRecord): void {
    const name = `record '${record.key.slice(0, 30)}' at ${record.location}`
    if ((record.state & (State.Dead | State.Busy)) !== 0) this.#report(`${name} is dead or busy`)
    if (record.key.length < 1 || record.key.length > KEY_MAX) this.#report(`${name} has no proper key`)
    this.#expect(`${name}: stripe of its key`, record.homeStripe, this.#stripe)
    this.#expect(`${name}: where its key leads`, record.foundAt, record.location)
    const units = record.pieces.reduce((sum, piece) => sum + piece.to - piece.from, 0)
    this.#expect(`${name}: units in its pages`, units, record.units)
    const first = record.pieces[0]!
    if (first.to - first.from < record.leading) this.#report(`${name}: header and key leave the page`)
    const kind = this.#inspection.log.kindOf(first.page)
    if ((kind === PageKind.Pinned) !== this.#isPinned(record)) this.#report(`${name} is in queue ${kind}`)
    for (const { page, from, to } of record.pieces) {
      this.#expect(`${name}: owner of page ${page}`, stripeOf(this.#inspection.page(page, Page.Owner)), this.#stripe)
      this.#expect(`${name}: kind of page ${page}`, this.#inspection.log.kindOf(page), kind)
      const taken = this.#taken.get(page) ?? []
      if (taken.some((other) => from < other.to && other.from < to)) this.#report(`${name} overlaps in page ${page}`)
      taken.push({ from, to })
      this.#taken.set(page, taken)
    }
    const soonest = this.#inspection.page(first.page, Page.SoonestSeconds)
    if (record.expiresAtMs !== 0 && soonest > record.expiresAtMs / 1000)
      this.#report(`${name} expires at ${record.expiresAtMs} ms, but its page is not swept before ${soonest} s`)
  }

  #checkPages(): void {
    const { log } = this.#inspection
    for (const page of this.#pages) {
      if (log.kindOf(page) === PageKind.Index) continue
      const live = (this.#taken.get(page) ?? []).reduce((sum, piece) => sum + piece.to - piece.from, 0)
      this.#expect(`live units of page ${page}`, this.#inspection.page(page, Page.LiveUnits), live)
      const open = this.#inspection.queue(this.#stripe, log.kindOf(page), Queue.Open)
      if (live === 0 && page !== open) this.#report(`page ${page} holds nothing and is not free`)
      if (!log.isContinued(page)) this.#checkWalk(page)
    }
  }

  /** A walk over a page must come upon every live record that begins in it: eviction and sweep go by walks. */
  #checkWalk(page: number): void {
    const { pageUnits } = this.#inspection.memory
    const begins = new Set(
      this.#records.filter(({ pieces }) => pieces[0]!.page === page).map(({ location }) => location),
    )
    const used = this.#inspection.page(page, Page.Used)
    for (let unit = this.#inspection.page(page, Page.First); unit < used; ) {
      const location = page * pageUnits + unit
      begins.delete(location)
      unit += this.#inspection.cursor.at(location).units
    }
    if (begins.size > 0) this.#report(`a walk over page ${page} misses ${[...begins]}`)
  }

  #checkQueue(queue: number): void {
    const { log } = this.#inspection
    const list = this.#inspection.listOf(this.#stripe, queue)
    const cell = (at: number) => this.#inspection.queue(this.#stripe, queue, at)
    list.forEach((page, i) => {
      this.#expect(`the page before ${page}`, this.#inspection.page(page, Page.Previous), list[i - 1] ?? 0)
    })
    this.#expect(`head of queue ${queue}`, cell(Queue.Head), list.at(-1) ?? 0)
    const open = cell(Queue.Open)
    if (open !== 0 && !list.includes(open)) this.#report(`open page ${open} of queue ${queue} is not in it`)
    const owned = this.#pages.filter((page) => log.kindOf(page) === queue)
    this.#expect(`pages of queue ${queue}`, cell(Queue.Pages), owned.length)
    const first = owned.filter((page) => !log.isContinued(page))
    if (String(first.sort()) !== String([...list].sort())) this.#report(`queue ${queue} lists ${list}, owns ${first}`)
    const live = this.#records
      .filter(({ pieces }) => log.kindOf(pieces[0]!.page) === queue)
      .reduce((sum, { units }) => sum + units, 0)
    this.#expect(`live units of queue ${queue}`, cell(Queue.LiveUnits), live)
  }

  #isPinned({ key }: FoundRecord): boolean {
    return [...this.#pinned, 'latchkey:fence:', 'latchkey:register:'].some((prefix) => key.startsWith(prefix))
  }
}
