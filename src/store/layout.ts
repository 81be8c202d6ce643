/**
 * Where everything lies in shared memory. One control buffer holds the small shared cells; data buffers of at
 * most 1 GiB each hold pages; a page is index or log.
 *
 *   control                                            data
 *   ┌────────────────────────────────────────────┐     ┌──────────┬──────────┬──────────┬────
 *   │ globals: pool lock, free list, flush time  │     │ (page 0  │ page 1   │ page 2   │ …
 *   │ thread slots: who uses the store           │     │  unused) │ index    │ log      │
 *   │ counters: a row of doubles per slot        │     └──────────┴──────────┴──────────┴────
 *   │ stripes: lock word, queues, CAS sequence   │
 *   │ page table: links, owner, live units       │     index page: buckets of one cache line (64 B)
 *   │ directories: index pages by hash prefix    │     ┌────────────┬────────┬───────────────────────┐
 *   └────────────────────────────────────────────┘     │ 12 tags × 1│ strayed│ 12 locations × 4      │
 *                                                      └────────────┴────────┴───────────────────────┘
 *   record in a log page (words of 4 B, whole units of 8 B)
 *   ┌──────────────────────────┬─────┬────────┬───────────────┬─────────┬─────────┬───────┬─────┬───────┐
 *   │ key length 8 │ state 8 │ │ CAS │ access │ value len. 30 │ expiry  │ own CAS │ flags │ key │ value │
 *   │ CAS high 16              │ low │ second │ frequency 2   │ 2, opt. │ 2, opt. │ opt.  │     │       │
 *   └──────────────────────────┴─────┴────────┴───────────────┴─────────┴─────────┴───────┴─────┴───────┘
 *
 * A location is a record's address in units, over all data buffers: 31 bits, so 16 GiB. Header and key never
 * leave their page; a value may run on into the pages that follow by the page table's `Continuation`.
 */

export const UNIT_BYTES = 8
export const BUFFER_UNITS_SHIFT = 27
export const BUFFER_UNITS_MASK = (1 << BUFFER_UNITS_SHIFT) - 1
export const BUFFER_BYTES = 2 ** BUFFER_UNITS_SHIFT * UNIT_BYTES
export const MAX_MEMORY = 2 ** 31 * UNIT_BYTES

/** Cells of the control buffer that there is one of, as 32-bit words. What changes often has cache lines of its own. */
export const Global = {
  PoolLock: 0,
  PoolHead: 16,
  PoolFree: 17,
  /** Whose turn it is to be asked for room. */
  EvictionHand: 32,
  /** Seconds since the store began, as the last thread to look saw them: for access times only. */
  CoarseSeconds: 50,
  /** Held by the thread that writes down the horizon. */
  StateLock: 60,
} as const
/** As doubles: index in the same globals, in units of 8 bytes. */
export const GlobalDouble = {
  /** When a delayed flush falls due, in ms since the store began; 0 for none. */
  FlushAtMs: 24,
  /** No lease on a pinned key ends later, in ms since the store began; infinite when nobody keeps that. */
  HorizonMs: 26,
  /** Until then locks of before a restart may still be held, and none is given. */
  GraceUntilMs: 27,
  /** The latest end of a lease that was asked for. */
  LatestLeaseMs: 28,
  /** What the wall clock was ahead of the store's when the horizon was written. */
  WallOffsetMs: 31,
  /** Until then the tokens given stay below the ceiling that is written down. */
  CeilingMs: 29,
} as const
export const GLOBAL_WORDS = 64

/** A slot is one word: 0 when free, else the thread's id plus one. */
export const THREAD_SLOTS = 256

/**
 * Cells of a stripe, as words from its base. All that a get or an overwriting set needs is in the lock's own cache
 * line: whoever has won the lock has the rest as well.
 */
export const Stripe = {
  Lock: 0,
  /** Bits of `Mark`: what there is to do before the stripe is used, or unlocked. */
  Marks: 1,
  Depth: 2,
  CasHigh: 3,
  CasLow: 4,
  Items: 5,
  Pages: 14,
  PinnedItems: 15,
  /** Three queues of `QUEUE_WORDS` each. */
  Queues: 16,
  /** Items by size class, and the units they take. */
  Classes: 40,
  ClassUnits: 72,
  /** The queue of those who wait for this stripe's keys, in order of arrival: numbers of waiters (waiter-layout.ts). */
  FirstWaiter: 104,
  LastWaiter: 105,
} as const
export const Mark = {
  /** A change was broken off: whoever locks the stripe next repairs it first. */
  Damaged: 1,
  /** The queue of waiters is not empty. */
  HasWaiters: 2,
  /** A key that may be waited for has become vacant, or its item ends at another time: see to it before unlocking. */
  Changed: 4,
} as const
/** As doubles, from the stripe's base, in units of 8 bytes. */
export const StripeDouble = { Acquisitions: 3, FlushedAtMs: 4, Spins: 5, Waits: 6 } as const
export const STRIPE_WORDS = 112

/** A queue is a list of pages, oldest at `Tail`; `Open` is the page that takes the next record, or 0. */
export const Queue = { Tail: 0, Head: 1, Open: 2, Pages: 3, LiveUnits: 4 } as const
export const QUEUE_WORDS = 8
export const QueueName = { Small: 0, Main: 1, Pinned: 2 } as const
export type QueueName = (typeof QueueName)[keyof typeof QueueName]

export const SIZE_CLASSES = 32

/** Cells of a page in the page table. `next` is towards the newer end. */
export const Page = {
  Next: 0,
  Previous: 1,
  /** Where the value that runs over this page's end goes on. Good only while that record lives. */
  Continuation: 2,
  /** 0 when free, else `(stripe + 1) << OWNER_SHIFT | kind`. */
  Owner: 3,
  LiveUnits: 4,
  /** Units filled; for an index page its local depth. */
  Used: 5,
  /** Unit of the first record that begins here (log pages). */
  First: 6,
  /** No record here expires before this second since the store began. */
  SoonestSeconds: 7,
} as const
export const PAGE_WORDS = 8
export const OWNER_SHIFT = 4
/** The first three are the queues, so that a queue's number is the kind of its pages. */
export const PageKind = { Small: 0, Main: 1, Pinned: 2, Index: 3 } as const
export const KIND_MASK = 3
/** Set in `Owner` beside the kind: one large record has this page to itself. */
export const LARGE_PAGE = 4
/** Set too in the further pages of a large record, which are in no list: only its first page is. */
export const CONTINUED_PAGE = 8
export const NO_EXPIRY_SECONDS = 0x7fffffff

/** Words of a record's fixed header. */
export const Record = { Meta: 0, CasLow: 1, Access: 2, Value: 3 } as const
export const RECORD_WORDS = 4
export const KEY_MAX = 250
export const VALUE_MAX = 2 ** 30 - 1

/** State bits, in `Meta` from bit 8 on. The first three say which optional fields follow the header. */
export const State = {
  HasExpiry: 1,
  HasCas: 2,
  HasFlags: 4,
  Stale: 8,
  /** A reader was told to recompute the value. */
  TokenSent: 16,
  Fetched: 32,
  /** Being overwritten in place: whoever finds it after its writer died drops it. */
  Busy: 64,
  Dead: 128,
} as const
export const STATE_SHIFT = 8
export const FIELDS_MASK = State.HasExpiry | State.HasCas | State.HasFlags
export const CAS_HIGH_SHIFT = 16
export const VALUE_LENGTH_MASK = VALUE_MAX
export const FREQUENCY_SHIFT = 30
export const FREQUENCY_MAX = 3

/** Header length in words by the field bits. */
export const HEADER_WORDS = Uint8Array.from(
  { length: FIELDS_MASK + 1 },
  (_, fields) =>
    RECORD_WORDS +
    (fields & State.HasExpiry ? 2 : 0) +
    (fields & State.HasCas ? 2 : 0) +
    (fields & State.HasFlags ? 1 : 0),
)

export const BUCKET_WORDS = 16
export const BUCKET_SLOTS = 12
export const Bucket = { Tags: 0, Strayed: 3, Locations: 4 } as const

/** Bits of a key's two hashes: `first` = tag 8 | bucket 14 | stripe 10, `second` = directory prefix from the top. */
export const STRIPE_BITS = 10
export const TAG_SHIFT = 24
export const MAX_STRIPES = 512

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`layout: ${what}`)
}
must(Bucket.Locations + BUCKET_SLOTS === BUCKET_WORDS, 'a bucket is one cache line')
must(Stripe.Queues + 3 * QUEUE_WORDS <= Stripe.Classes, 'queues end before the classes')
must(Stripe.Items < StripeDouble.Acquisitions * 2, 'the first words end before the doubles')
must(StripeDouble.Waits * 2 + 1 < Stripe.Pages, 'the doubles end before the last words')
must(Stripe.Classes + SIZE_CLASSES === Stripe.ClassUnits, 'items by class are followed by units by class')
must(Stripe.ClassUnits + SIZE_CLASSES <= Stripe.FirstWaiter, 'the classes end before the queue of waiters')
must(Stripe.LastWaiter < STRIPE_WORDS, 'a stripe holds its queue of waiters')
must((STRIPE_WORDS * 4) % 64 === 0, 'a stripe is whole cache lines')
must(GlobalDouble.WallOffsetMs * 2 + 2 <= GLOBAL_WORDS, 'globals hold their doubles')
must(MAX_STRIPES <= 1 << STRIPE_BITS, 'stripe bits suffice')
