/** What the table tells about itself. Sums over stripes and threads, read without locks: near enough, never torn. */
import { longestIdleSeconds } from './ages.js'
import { type ClassCounterName, type CounterName, sumClassCounters, sumCounters } from './counters.js'
import type { Engine } from './engine.js'
import { Global, QUEUE_WORDS, Queue, QueueName, SIZE_CLASSES, Stripe, StripeDouble, UNIT_BYTES } from './layout.js'
import type { Memory } from './memory.js'
import { WaiterState } from './waiter-layout.js'
import { censusOf } from './waiters.js'

/** Counts since the start or the last `resetStats`, and what is there now. Sizes are bytes. */
export interface TableStats extends Record<CounterName, number> {
  currItems: number
  /** Live records, headers and keys included. */
  bytes: number
  limitMaxbytes: number
  pinnedItems: number
  pinnedBytes: number
  /** Those who wait for an item, of how many there may be. */
  waiters: number
  waitersMax: number
  /** Items bound to a connection; they take places of waiters. */
  boundItems: number
  indexBytes: number
  freeBytes: number
  /** In log pages, but not live: what compaction could win back. */
  garbageBytes: number
  smallQueueBytes: number
  mainQueueBytes: number
  stripes: number
  pageBytes: number
}

/** Items of more than half of `upTo` and at most `upTo` bytes, header and key included; and what became of such. */
export interface SizeClass extends Record<ClassCounterName, number> {
  /** `upTo` is 2 to this power. */
  id: number
  upTo: number
  items: number
  /** Bytes that they take, headers and keys included. */
  bytes: number
  /** Seconds for which the last one to be evicted had not been used. */
  evictedTime: number
  /** Likewise of the longest idle one, as seen in the oldest pages; undefined when none was there. */
  age: number | undefined
}

/** Contention and load of one stripe. */
export interface StripeStats {
  acquisitions: number
  /** Acquisitions that found the lock taken and got it while spinning. */
  spins: number
  /** Acquisitions that had to sleep. */
  waits: number
  items: number
  /** Memory that the stripe's pages take. */
  bytes: number
}

export function tableStats(memory: Memory): TableStats {
  const { control, pageUnits } = memory
  const pageBytes = pageUnits * UNIT_BYTES
  const queuePages = [0, 0, 0]
  const queueUnits = [0, 0, 0]
  let currItems = 0
  let pinnedItems = 0
  let pages = 0
  for (let stripe = 0; stripe < memory.stripes; stripe++) {
    const at = memory.stripeAt(stripe)
    currItems += control[at + Stripe.Items]!
    pinnedItems += control[at + Stripe.PinnedItems]!
    pages += control[at + Stripe.Pages]!
    for (let queue: number = QueueName.Small; queue <= QueueName.Pinned; queue++) {
      const queueAt = at + Stripe.Queues + queue * QUEUE_WORDS
      queuePages[queue]! += control[queueAt + Queue.Pages]!
      queueUnits[queue]! += control[queueAt + Queue.LiveUnits]!
    }
  }
  const logPages = queuePages.reduce((sum, count) => sum + count)
  const live = queueUnits.reduce((sum, units) => sum + units) * UNIT_BYTES
  return {
    ...sumCounters(memory),
    currItems,
    bytes: live,
    limitMaxbytes: memory.pages * pageBytes,
    pinnedItems,
    pinnedBytes: queueUnits[QueueName.Pinned]! * UNIT_BYTES,
    ...waiterStats(memory),
    indexBytes: (pages - logPages) * pageBytes,
    freeBytes: control[Global.PoolFree]! * pageBytes,
    garbageBytes: logPages * pageBytes - live,
    smallQueueBytes: queuePages[QueueName.Small]! * pageBytes,
    mainQueueBytes: queuePages[QueueName.Main]! * pageBytes,
    stripes: memory.stripes,
    pageBytes,
  }
}

function waiterStats(memory: Memory): Pick<TableStats, 'waiters' | 'waitersMax' | 'boundItems'> {
  const counts = censusOf(memory)
  const waiters = counts[WaiterState.Waiting]! + counts[WaiterState.Look]!
  return { waiters, waitersMax: memory.waiters, boundItems: counts[WaiterState.Bound]! }
}

/** The size classes that have items, or had some since the last reset, smallest first. */
export function sizeClasses(engine: Engine): SizeClass[] {
  const { memory } = engine
  const ages = longestIdleSeconds(engine)
  const classes: SizeClass[] = []
  for (let id = 0; id < SIZE_CLASSES; id++) {
    const items = sumOverStripes(memory, Stripe.Classes + id)
    const counts = sumClassCounters(memory, id)
    if (items <= 0 && Object.values(counts).every((count) => count === 0)) continue
    classes.push({
      ...counts,
      id,
      upTo: 2 ** id,
      items,
      bytes: sumOverStripes(memory, Stripe.ClassUnits + id) * UNIT_BYTES,
      evictedTime: memory.control[memory.evictedIdleAt + id]!,
      age: ages[id]! < 0 ? undefined : ages[id]!,
    })
  }
  return classes
}

function sumOverStripes(memory: Memory, cell: number): number {
  let sum = 0
  for (let stripe = 0; stripe < memory.stripes; stripe++) sum += memory.control[memory.stripeAt(stripe) + cell]!
  return sum
}

export function stripeStats(memory: Memory): StripeStats[] {
  return Array.from({ length: memory.stripes }, (_, stripe) => {
    const at = memory.stripeAt(stripe)
    const double = (cell: number) => memory.doubles[(at >> 1) + cell]!
    return {
      acquisitions: double(StripeDouble.Acquisitions),
      spins: double(StripeDouble.Spins),
      waits: double(StripeDouble.Waits),
      items: memory.control[at + Stripe.Items]!,
      bytes: memory.control[at + Stripe.Pages]! * memory.pageUnits * UNIT_BYTES,
    }
  })
}
