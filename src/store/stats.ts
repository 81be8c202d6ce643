/** What the table tells about itself. Sums over stripes and threads, read without locks: near enough, never torn. */
import { type CounterName, sumCounters } from './counters.js'
import { Global, QUEUE_WORDS, Queue, QueueName, SIZE_CLASSES, Stripe, StripeDouble, UNIT_BYTES } from './layout.js'
import type { Memory } from './memory.js'

/** Counts since the start or the last `resetStats`, and what is there now. Sizes are bytes. */
export interface TableStats extends Record<CounterName, number> {
  currItems: number
  /** Live records, headers and keys included. */
  bytes: number
  limitMaxbytes: number
  pinnedItems: number
  pinnedBytes: number
  indexBytes: number
  freeBytes: number
  /** In log pages, but not live: what compaction could win back. */
  garbageBytes: number
  smallQueueBytes: number
  mainQueueBytes: number
  stripes: number
  pageBytes: number
}

/** Items of more than half of `upTo` and at most `upTo` bytes, header and key included. */
export interface SizeClass {
  upTo: number
  items: number
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
    indexBytes: (pages - logPages) * pageBytes,
    freeBytes: control[Global.PoolFree]! * pageBytes,
    garbageBytes: logPages * pageBytes - live,
    smallQueueBytes: queuePages[QueueName.Small]! * pageBytes,
    mainQueueBytes: queuePages[QueueName.Main]! * pageBytes,
    stripes: memory.stripes,
    pageBytes,
  }
}

/** The size classes that have items, smallest first. */
export function sizeClasses(memory: Memory): SizeClass[] {
  const classes: SizeClass[] = []
  for (let size = 0; size < SIZE_CLASSES; size++) {
    let items = 0
    for (let stripe = 0; stripe < memory.stripes; stripe++)
      items += memory.control[memory.stripeAt(stripe) + Stripe.Classes + size]!
    if (items > 0) classes.push({ upTo: 2 ** size, items })
  }
  return classes
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
