/**
 * The words that callers of the table use: what they ask for and what they get back.
 * Options are plain mutable objects, so that a server can fill one again and again without garbage.
 */

import type { Bytes } from './bytes.js'

/** How a write treats an existing item; the names are memcached's. */
export const WriteMode = { Set: 0, Add: 1, Replace: 2, Append: 3, Prepend: 4 } as const
export type WriteMode = (typeof WriteMode)[keyof typeof WriteMode]

/** What became of a mutation. `Done` is memcached's STORED, DELETED, TOUCHED or HD. */
export const Outcome = {
  Done: 0,
  NotStored: 1,
  Exists: 2,
  NotFound: 3,
  TooLarge: 4,
  OutOfMemory: 5,
  NonNumeric: 6,
  /** An add that was to wait and cannot: its value is too long for that, or as many wait as there are places. */
  TooLongToWait: 7,
  TooManyWaiters: 8,
} as const
export type Outcome = (typeof Outcome)[keyof typeof Outcome]

/**
 * Times to live are milliseconds from now: 0 lives for ever, a negative one is over already.
 * CAS tokens are 64-bit unsigned integers; `undefined` asks for no comparison, or for the next token.
 */
export interface ReadOptions {
  /** Give the item the new life `ttlMs` (gat, touch, mg T). */
  touch: boolean
  ttlMs: number
  /** On a miss, make an empty item that lives `vivifyTtlMs`, and let this reader win (mg N). */
  vivify: boolean
  vivifyTtlMs: number
  /** The token of an item made by `vivify`, instead of the next one (mg E). */
  newCas: bigint | undefined
  /** This reader knows what to do when it wins the right to recompute a value (mg). Others must not take it. */
  mayWin: boolean
  /** With `mayWin`: let one reader win when less than `recacheMs` of life is left (mg R). */
  recache: boolean
  recacheMs: number
  /** With `touch`: tell what is left of life, for `recache`, as it was before the touch. */
  recacheFirst: boolean
  /** Leave no trace in the item's hits and access time (mg u). */
  noBump: boolean
  /** Look without being seen at all: `noBump`, nothing counted, nothing won (me). */
  peek: boolean
}

export interface WriteOptions {
  mode: WriteMode
  /** Client flags, 32 bits unsigned. Append and prepend keep the old ones. */
  flags: number
  ttlMs: number
  compareCas: bigint | undefined
  /** Give the item this token instead of the next one (meta E). */
  newCas: bigint | undefined
  /** With a token older than the item's: store, keep the old life, and mark the item stale (ms I). */
  invalidate: boolean
  /** Refuse with `Exists` when a write with a greater fence was accepted before (ms g). */
  fence: bigint | undefined
  /** Append and prepend only: make a missing item, living `vivifyTtlMs` (ms N). */
  vivify: boolean
  vivifyTtlMs: number
  /** The binding (a number of `Bindings.reserve`) that is to know the item's token; 0 for none. */
  bindTo: number
}

export interface RemoveOptions {
  compareCas: bigint | undefined
  newCas: bigint | undefined
  /** Keep the item but mark it stale, with a new token (md I). */
  invalidate: boolean
  /** With `invalidate`: the new life (md T). */
  touch: boolean
  ttlMs: number
  /** Keep the item but drop its value and client flags (md x). */
  dropValue: boolean
  /** Refuse with `Exists` when a write with a greater fence was accepted before (md g). */
  fence: bigint | undefined
}

export interface ArithmeticOptions {
  decrement: boolean
  /** 0 to 2^64 − 1. Increments wrap at 2^64, decrements stop at 0. */
  delta: bigint
  compareCas: bigint | undefined
  newCas: bigint | undefined
  /** On a miss, store `initial`, living `vivifyTtlMs` (ma N, J). */
  vivify: boolean
  vivifyTtlMs: number
  initial: bigint
  touch: boolean
  ttlMs: number
}

/** What a reader sees of one item. Good only inside the call that passes it: the stripe is locked. */
export interface ItemView {
  /** Client flags, 32 bits unsigned. */
  readonly flags: number
  /** Bytes. */
  readonly valueLength: number
  /** Bytes. */
  readonly keyLength: number
  /** Bytes that the item takes in memory, header and key included. */
  readonly size: number
  readonly cas: bigint
  /** Copies the token to `target`, 8 bytes, big-endian, and makes no garbage. */
  copyCas(target: Bytes, at: number): void
  /** Milliseconds left to live, −1 for ever. */
  readonly ttlMs: number
  /** After a read or count with `touch`: what was left before it. Of another read it tells nothing. */
  readonly ttlBeforeMs: number
  /** Seconds since the access before this one. */
  readonly idleSeconds: number
  /** Read before, since it was stored. */
  readonly fetched: boolean
  readonly stale: boolean
  /** This very read won the right to recompute the value (meta W). */
  readonly won: boolean
  /** An earlier read won that right and has not stored yet (meta Z). */
  readonly wonBefore: boolean
  /** Adds that wait for this key. */
  readonly waiters: number
  /** Copies the whole value to `target` from `at` on; the caller has made room for `valueLength` bytes. */
  copyValue(target: Bytes, at: number): void
  /** Copies the key likewise (for walks over all items). */
  copyKey(target: Bytes, at: number): void
}

/** Called under the stripe's lock: copy out what is needed, call nothing of the table. */
export interface ItemReader {
  item(view: ItemView): void
}

export function readOptions(): ReadOptions {
  return {
    touch: false,
    ttlMs: 0,
    vivify: false,
    vivifyTtlMs: 0,
    newCas: undefined,
    mayWin: false,
    recache: false,
    recacheMs: 0,
    recacheFirst: false,
    noBump: false,
    peek: false,
  }
}

export function writeOptions(): WriteOptions {
  return {
    mode: WriteMode.Set,
    flags: 0,
    ttlMs: 0,
    compareCas: undefined,
    newCas: undefined,
    invalidate: false,
    fence: undefined,
    vivify: false,
    vivifyTtlMs: 0,
    bindTo: 0,
  }
}

export function removeOptions(): RemoveOptions {
  return {
    compareCas: undefined,
    newCas: undefined,
    invalidate: false,
    touch: false,
    ttlMs: 0,
    dropValue: false,
    fence: undefined,
  }
}

export function arithmeticOptions(): ArithmeticOptions {
  return {
    decrement: false,
    delta: 1n,
    compareCas: undefined,
    newCas: undefined,
    vivify: false,
    vivifyTtlMs: 0,
    initial: 0n,
    touch: false,
    ttlMs: 0,
  }
}
