/**
 * The shared buffers, and this thread's views of them. `allocateMemory` makes them once; every thread makes its
 * own `Memory` of the handle. Nothing here locks.
 */
import { Bytes } from './bytes.js'
import { StoreArgumentError } from './errors.js'
import {
  BUCKET_WORDS,
  BUFFER_BYTES,
  GLOBAL_WORDS,
  GlobalDouble,
  MAX_MEMORY,
  MAX_STRIPES,
  PAGE_WORDS,
  SIZE_CLASSES,
  STRIPE_WORDS,
  THREAD_SLOTS,
  UNIT_BYTES,
} from './layout.js'
import { WAITER_STATES, WAITER_WORDS, waiterBytes, waitersAt, waitersFor } from './waiter-layout.js'

/** Doubles in a thread slot's row of counters: one for each of what is counted, then sixteen for each size class. */
export const COUNTER_CELLS = 64 + 16 * SIZE_CLASSES

/** Numbers that never change in a store's life, and where its regions begin. */
export interface Geometry {
  readonly pageShift: number
  readonly pages: number
  readonly stripes: number
  /** Directory entries a stripe can have, as a power of two. */
  readonly depthMax: number
  /** Places for those who wait, over all keys. */
  readonly waiters: number
}

/** What another worker thread needs to attach: post it, or pass it as `workerData`. */
export interface MemoryHandle {
  readonly control: SharedArrayBuffer
  readonly data: readonly SharedArrayBuffer[]
  readonly waiters: SharedArrayBuffer
  readonly geometry: Geometry
}

const MIB = 2 ** 20
const MIN_MEMORY = MIB
/** Small pages waste less at the end of each queue; large ones cost fewer list operations. */
const SMALL_PAGE_SHIFT = 12
const LARGE_PAGE_SHIFT = 14
export const PAGE_SHIFTS: readonly number[] = [SMALL_PAGE_SHIFT, LARGE_PAGE_SHIFT]
const LARGE_PAGES_FROM = 256 * MIB
/** Every stripe has an open page in each of its queues, so it needs a good number of pages for those not to matter. */
const PAGES_PER_STRIPE_MIN = 64
const STRIPES_MIN = 64

/** Items cannot be smaller than this on average for long: directories are sized for it, with two doublings to spare. */
const SMALLEST_ITEM_BYTES = 32
const SPARE_DEPTH = 2

/** What pages that come from another table must find as it was there: their size, and which stripe a key belongs to. */
export interface KeptGeometry {
  readonly pageShift: number
  readonly stripes: number
  /** Depth of the deepest directory. */
  readonly depth: number
}

/** @throws StoreArgumentError for a size that cannot be. */
export function chooseGeometry(memory: number, threads: number, kept?: KeptGeometry): Geometry {
  if (!Number.isFinite(memory) || memory < MIN_MEMORY || memory > MAX_MEMORY - MIB)
    throw new StoreArgumentError(`memory must be 1 MiB to ${MAX_MEMORY / MIB - 1} MiB, not ${memory} bytes`)
  const pageShift = kept?.pageShift ?? (memory >= LARGE_PAGES_FROM ? LARGE_PAGE_SHIFT : SMALL_PAGE_SHIFT)
  const pages = Math.floor(memory / 2 ** pageShift)
  const stripes = kept?.stripes ?? chooseStripes(pages, threads)
  const slotsPerPage = (2 ** pageShift / (BUCKET_WORDS * 4)) * 6
  const depthMax =
    SPARE_DEPTH + Math.max(0, Math.ceil(Math.log2(memory / stripes / SMALLEST_ITEM_BYTES / slotsPerPage)))
  return { pageShift, pages, stripes, depthMax: Math.max(depthMax, kept?.depth ?? 0), waiters: waitersFor(memory) }
}

function chooseStripes(pages: number, threads: number): number {
  const wanted = Math.max(STRIPES_MIN, 16 * threads)
  const affordable = Math.min(MAX_STRIPES, pages / PAGES_PER_STRIPE_MIN)
  return 2 ** Math.floor(Math.log2(Math.max(1, Math.min(wanted, affordable))))
}

/** Where the control buffer's regions begin, in words. Doubles come on even words. */
function regions(geometry: Geometry) {
  const slots = GLOBAL_WORDS
  const counters = slots + THREAD_SLOTS
  const classes = counters + (THREAD_SLOTS + 1) * COUNTER_CELLS * 2
  const stripes = classes + SIZE_CLASSES
  const pageTable = stripes + geometry.stripes * STRIPE_WORDS
  // Pages are numbered from 1, so that 0 can say "none".
  const directories = pageTable + (geometry.pages + 1) * PAGE_WORDS
  const end = directories + geometry.stripes * 2 ** geometry.depthMax
  return { slots, counters, classes, stripes, pageTable, directories, end }
}

/** Reserves the memory. The operating system commits a page of it only when it is first written. */
export function allocateMemory(geometry: Geometry): MemoryHandle {
  const control = new SharedArrayBuffer(regions(geometry).end * 4)
  new Float64Array(control)[GlobalDouble.HorizonMs] = Number.POSITIVE_INFINITY
  const data: SharedArrayBuffer[] = []
  for (let left = (geometry.pages + 1) * 2 ** geometry.pageShift; left > 0; left -= BUFFER_BYTES)
    data.push(new SharedArrayBuffer(Math.min(left, BUFFER_BYTES)))
  const waiters = new SharedArrayBuffer(waiterBytes(geometry.waiters))
  return { control, data, waiters, geometry }
}

/** One thread's views. Plain fields, because every operation reads them. */
export class Memory {
  readonly handle: MemoryHandle
  /** Control cells. Plain access needs the lock that guards the cell; CONCURRENCY.md has the table. */
  readonly control: Int32Array
  readonly doubles: Float64Array
  /** Data buffers as words and as bytes. */
  readonly words: readonly Int32Array[]
  readonly buffers: readonly Bytes[]
  /** Those who wait: signals, states, and a waiter each (waiter-layout.ts). */
  readonly waiterWords: Int32Array
  readonly waiterDoubles: Float64Array
  readonly waiterBytes: Bytes

  readonly stripes: number
  readonly pages: number
  readonly depthMax: number
  readonly pageUnitsShift: number
  readonly pageUnits: number
  readonly bucketMask: number
  readonly waiters: number

  readonly slotsAt: number
  readonly countersAt: number
  /** How long the last evicted item had not been used, in seconds, by size class. */
  readonly evictedIdleAt: number
  readonly stripesAt: number
  readonly pageTableAt: number
  readonly directoriesAt: number
  readonly #waitersAt: number

  constructor(handle: MemoryHandle) {
    const { geometry } = handle
    this.handle = handle
    this.control = new Int32Array(handle.control)
    this.doubles = new Float64Array(handle.control)
    this.words = handle.data.map((buffer) => new Int32Array(buffer))
    this.buffers = handle.data.map((buffer) => new Bytes(new Uint8Array(buffer)))
    this.waiterWords = new Int32Array(handle.waiters)
    this.waiterDoubles = new Float64Array(handle.waiters)
    this.waiterBytes = new Bytes(new Uint8Array(handle.waiters))
    this.waiters = geometry.waiters
    this.#waitersAt = waitersAt(geometry.waiters)
    this.stripes = geometry.stripes
    this.pages = geometry.pages
    this.depthMax = geometry.depthMax
    this.pageUnits = 2 ** geometry.pageShift / UNIT_BYTES
    this.pageUnitsShift = Math.log2(this.pageUnits)
    this.bucketMask = 2 ** geometry.pageShift / (BUCKET_WORDS * 4) - 1
    const at = regions(geometry)
    this.slotsAt = at.slots
    this.countersAt = at.counters
    this.evictedIdleAt = at.classes
    this.stripesAt = at.stripes
    this.pageTableAt = at.pageTable
    this.directoriesAt = at.directories
  }

  /** First control word of a stripe. */
  stripeAt(stripe: number): number {
    return this.stripesAt + stripe * STRIPE_WORDS
  }

  /** First word of a waiter, in `waiterWords`. */
  waiterAt(waiter: number): number {
    return this.#waitersAt + waiter * WAITER_WORDS
  }

  /** The word of a waiter's state, likewise. */
  waiterStateAt(waiter: number): number {
    return WAITER_STATES + waiter
  }

  /** First control word of a page's entry in the page table. */
  pageAt(page: number): number {
    return this.pageTableAt + page * PAGE_WORDS
  }
}
