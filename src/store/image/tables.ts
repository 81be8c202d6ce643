/**
 * The control cells of an image, as words: the stripes, then the directories of all stripes one after the other, each as long
 * as it is deep, then the pages' entries of the page table. What concerns threads (locks, waiters, statistics) is left
 * out; the sequence numbers of all stripes begin anew where the furthest one was.
 */
import { PAGE_WORDS, Page, QUEUE_WORDS, Queue, QueueName, STRIPE_WORDS, Stripe, StripeDouble } from '../layout.js'
import type { Memory } from '../memory.js'
import type { Placement } from './placement.js'

/** Cells that say something of threads, or of this start, and are 0 in an image. */
const LEFT_OUT = [Stripe.Lock, Stripe.Marks, Stripe.FirstWaiter, Stripe.LastWaiter]
const LEFT_OUT_DOUBLES = Object.values(StripeDouble)

const TWO_32 = 2 ** 32

/** What the stripes say together. */
export interface StripeSums {
  readonly items: number
  readonly depth: number
  readonly lastSequence: number
}

export function sumStripes(memory: Memory): StripeSums {
  const sums = { items: 0, depth: 0, lastSequence: 0 }
  for (let stripe = 0; stripe < memory.stripes; stripe++) {
    const cell = (at: number) => memory.control[memory.stripeAt(stripe) + at]!
    const sequence = cell(Stripe.CasHigh) * TWO_32 + (cell(Stripe.CasLow) >>> 0)
    sums.items += cell(Stripe.Items)
    sums.depth = Math.max(sums.depth, cell(Stripe.Depth))
    sums.lastSequence = Math.max(sums.lastSequence, sequence)
  }
  return sums
}

export function packTables(memory: Memory, placement: Placement): Int32Array {
  const { control, stripes } = memory
  const directoryWords = (stripe: number) => 1 << control[memory.stripeAt(stripe) + Stripe.Depth]!
  let length = stripes * STRIPE_WORDS + placement.pages.length * PAGE_WORDS
  for (let stripe = 0; stripe < stripes; stripe++) length += directoryWords(stripe)
  const words = new Int32Array(length)
  let at = 0
  for (let stripe = 0; stripe < stripes; stripe++, at += STRIPE_WORDS) packStripe(memory, placement, stripe, words, at)
  for (let stripe = 0; stripe < stripes; stripe++) {
    const from = memory.directoriesAt + (stripe << memory.depthMax)
    for (let entry = 0; entry < directoryWords(stripe); entry++, at++)
      words[at] = placement.placeOf(control[from + entry]!)
  }
  for (const page of placement.pages) {
    words.set(control.subarray(memory.pageAt(page), memory.pageAt(page) + PAGE_WORDS), at)
    for (const link of [Page.Next, Page.Previous, Page.Continuation])
      words[at + link] = placement.placeOf(words[at + link]!)
    at += PAGE_WORDS
  }
  return words
}

function packStripe(memory: Memory, placement: Placement, stripe: number, words: Int32Array, at: number): void {
  const from = memory.stripeAt(stripe)
  words.set(memory.control.subarray(from, from + STRIPE_WORDS), at)
  for (const cell of LEFT_OUT) words[at + cell] = 0
  for (const cell of LEFT_OUT_DOUBLES) words.fill(0, at + cell * 2, at + cell * 2 + 2)
  for (let queue: number = QueueName.Small; queue <= QueueName.Pinned; queue++) {
    const queueAt = at + Stripe.Queues + queue * QUEUE_WORDS
    for (const link of [Queue.Tail, Queue.Head, Queue.Open])
      words[queueAt + link] = placement.placeOf(words[queueAt + link]!)
  }
}

/** Puts packed cells into a new table that has the same stripes. */
export function unpackTables(memory: Memory, words: Int32Array, pages: number, lastSequence: number): void {
  const { control, stripes } = memory
  let at = stripes * STRIPE_WORDS
  control.set(words.subarray(0, at), memory.stripesAt)
  for (let stripe = 0; stripe < stripes; stripe++) {
    const stripeAt = memory.stripeAt(stripe)
    control[stripeAt + Stripe.CasHigh] = Math.floor(lastSequence / TWO_32)
    control[stripeAt + Stripe.CasLow] = lastSequence | 0
    const length = 1 << control[stripeAt + Stripe.Depth]!
    control.set(words.subarray(at, at + length), memory.directoriesAt + (stripe << memory.depthMax))
    at += length
  }
  control.set(words.subarray(at, at + pages * PAGE_WORDS), memory.pageAt(1))
}
