/**
 * From a key to its record. Each stripe has an index of its own, by extendible hashing (Fagin, Nievergelt, Pippenger
 * and Strong, 1979): a directory of index pages by hash prefix, so that it grows by splitting one page at a time.
 * In a page a key has a home bucket of one cache line and, when that is full, up to three others; each bucket
 * remembers how far the keys at home in it have strayed, so a miss mostly touches one line.
 *
 * A free slot may remember a key that was evicted from the small queue ("ghost", a negative location): when that
 * key comes back it goes straight to the main queue. Ghosts give way to real entries, so they cost no memory.
 */
import type { Key } from './key.js'
import { BUCKET_SLOTS, BUCKET_WORDS, BUFFER_UNITS_MASK, BUFFER_UNITS_SHIFT, Bucket, Page, Stripe } from './layout.js'
import type { Log } from './log.js'
import type { Memory } from './memory.js'
import type { RecordCursor } from './records.js'

const GHOST = 1 << 31
const EACH_BYTE = 0x01010101
const HIGH_BITS = 0x80808080

const NO_SLOT = -1
/** Buckets that a key may be in. Four let a page fill to nine tenths before it has to be split. */
const PROBES = 4

export class HashIndex {
  readonly #memory: Memory
  readonly #log: Log
  readonly #cursor: RecordCursor
  /** For the keys of entries that a split moves. */
  readonly #moving: Key
  /** How far the entries of each bucket have strayed, in the two halves of a page being split. */
  readonly #strayed: { stayed: Uint8Array; moved: Uint8Array }
  /** The slot that the last `findLocked` ended at. */
  #slotWords: Int32Array
  #slot = 0

  constructor(memory: Memory, log: Log, cursor: RecordCursor, moving: Key) {
    this.#memory = memory
    this.#log = log
    this.#cursor = cursor
    this.#moving = moving
    const buckets = memory.bucketMask + 1
    this.#strayed = { stayed: new Uint8Array(buckets), moved: new Uint8Array(buckets) }
    this.#slotWords = memory.words[0]!
  }

  /** The location of the key's record, with the cursor on it, or 0. */
  findLocked(key: Key): number {
    const page = this.#pageLocked(key)
    if (page === 0) return 0
    const words = this.#wordsOf(page)
    const home = this.#bucketAt(page, key.bucket)
    const found = this.#search(words, home, key)
    const strayed = words[home + Bucket.Strayed]!
    if (found !== 0 || strayed === 0) return found
    for (let probe = 1; probe <= strayed; probe++) {
      const location = this.#search(words, this.#bucketAt(page, probed(key, probe)), key)
      if (location !== 0) return location
    }
    return 0
  }

  /** Points the entry that `findLocked` just found at another record. One store: the key is never absent. */
  replaceLocked(location: number): void {
    this.#slotWords[this.#slot] = location
  }

  /** Takes out the entry that `findLocked` just found; with `ghost` its slot remembers the key. */
  removeLocked(key: Key, ghost: boolean): void {
    this.#slotWords[this.#slot] = ghost ? ghostOf(key) : 0
  }

  /** True when a slot still remembers the key. */
  hasGhostLocked(key: Key): boolean {
    const page = this.#pageLocked(key)
    if (page === 0) return false
    const words = this.#wordsOf(page)
    const ghost = ghostOf(key)
    const strayed = words[this.#bucketAt(page, key.bucket) + Bucket.Strayed]!
    for (let probe = 0; probe <= strayed; probe++) {
      if (slotOf(words, this.#bucketAt(page, probed(key, probe)), ghost) !== NO_SLOT) return true
    }
    return false
  }

  /**
   * Adds an entry for a key that has none.
   * @returns false when the index cannot grow: the pool has no page, or the directory is at its end.
   */
  insertLocked(key: Key, location: number, useReserve: boolean): boolean {
    for (;;) {
      const page = this.#pageLocked(key)
      if (page === 0) {
        if (!this.#firstPageLocked(key.stripe, useReserve)) return false
        continue
      }
      if (this.#insertInPage(page, key, location)) return true
      if (!this.#splitLocked(page, key, useReserve)) return false
    }
  }

  /** Calls `visit` with every location in one index page. */
  eachInPage(page: number, visit: (location: number) => void): void {
    const words = this.#wordsOf(page)
    for (let bucket = 0; bucket <= this.#memory.bucketMask; bucket++) {
      const at = this.#bucketAt(page, bucket) + Bucket.Locations
      for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
        const location = words[at + slot]!
        if (location > 0) visit(location)
      }
    }
  }

  /** The page at place `entry` of the stripe's directory if it is the first of the places that lead to it, else 0. */
  pageAtEntryLocked(stripe: number, entry: number): number {
    const { control, depthMax } = this.#memory
    const directory = this.#memory.directoriesAt + (stripe << depthMax)
    const page = control[directory + entry]!
    return entry > 0 && control[directory + entry - 1] === page ? 0 : page
  }

  /** Places in the stripe's directory. */
  entriesLocked(stripe: number): number {
    return 1 << this.#memory.control[this.#memory.stripeAt(stripe) + Stripe.Depth]!
  }

  /** Takes out all ghosts, and the entries that `keeps` does not want; the index keeps its size. */
  retainLocked(stripe: number, keeps: (location: number) => boolean): void {
    for (let entry = this.entriesLocked(stripe) - 1; entry >= 0; entry--) {
      const page = this.pageAtEntryLocked(stripe, entry)
      if (page !== 0) this.#retainInPage(page, keeps)
    }
  }

  #retainInPage(page: number, keeps: (location: number) => boolean): void {
    const words = this.#wordsOf(page)
    for (let bucket = 0; bucket <= this.#memory.bucketMask; bucket++) {
      const at = this.#bucketAt(page, bucket) + Bucket.Locations
      for (let slot = at; slot < at + BUCKET_SLOTS; slot++) {
        const location = words[slot]!
        if (location < 0 || (location > 0 && !keeps(location))) words[slot] = 0
      }
    }
  }

  /** Gives all index pages back. */
  dropLocked(stripe: number): void {
    for (let entry = this.entriesLocked(stripe) - 1; entry >= 0; entry--) {
      const page = this.pageAtEntryLocked(stripe, entry)
      if (page !== 0) this.#log.emptyPageLocked(stripe, page)
    }
    this.forgetLocked(stripe)
  }

  /** An empty directory, whatever became of its pages. */
  forgetLocked(stripe: number): void {
    const { control, depthMax } = this.#memory
    const directory = this.#memory.directoriesAt + (stripe << depthMax)
    control.fill(0, directory, directory + (1 << depthMax))
    control[this.#memory.stripeAt(stripe) + Stripe.Depth] = 0
  }

  #pageLocked(key: Key): number {
    const { control } = this.#memory
    const { stripe } = key
    const depth = control[this.#memory.stripeAt(stripe) + Stripe.Depth]!
    // A shift by 32 is a shift by 0 in JavaScript, so depth 0 is shifted in two steps.
    const entry = (key.second >>> 1) >>> (31 - depth)
    return control[this.#memory.directoriesAt + (stripe << this.#memory.depthMax) + entry]!
  }

  #wordsOf(page: number): Int32Array {
    return this.#memory.words[(page << this.#memory.pageUnitsShift) >>> BUFFER_UNITS_SHIFT]!
  }

  #bucketAt(page: number, bucket: number): number {
    const { pageUnitsShift, bucketMask } = this.#memory
    return (((page << pageUnitsShift) & BUFFER_UNITS_MASK) << 1) + (bucket & bucketMask) * BUCKET_WORDS
  }

  /** Compares all twelve tags of a bucket, four at a time; a match may be chance, so the key decides. */
  #search(words: Int32Array, bucket: number, key: Key): number {
    const pattern = Math.imul(key.tag, EACH_BYTE)
    for (let group = 0; group < 3; group++) {
      const difference = words[bucket + Bucket.Tags + group]! ^ pattern
      // The classic zero-byte test: bytes above a true zero may show up falsely, which the key comparison sorts out.
      let zeros = (difference - EACH_BYTE) & ~difference & HIGH_BITS
      while (zeros !== 0) {
        const lane = (31 - Math.clz32(zeros & -zeros)) >>> 3
        const slot = bucket + Bucket.Locations + group * 4 + lane
        const location = words[slot]!
        if (location > 0 && this.#cursor.at(location).hasKey(key)) {
          this.#slotWords = words
          this.#slot = slot
          return location
        }
        zeros &= zeros - 1
      }
    }
    return 0
  }

  #insertInPage(page: number, key: Key, location: number): boolean {
    const words = this.#wordsOf(page)
    const ghost = ghostOf(key)
    for (let probe = 0; probe < PROBES; probe++) {
      const bucket = this.#bucketAt(page, probed(key, probe))
      // The key's own ghost has done its work: its slot is the first to go.
      let slot = slotOf(words, bucket, ghost)
      if (slot === NO_SLOT) slot = slotOf(words, bucket, 0)
      if (slot === NO_SLOT) slot = anyGhost(words, bucket)
      if (slot === NO_SLOT) continue
      const home = this.#bucketAt(page, key.bucket)
      if (words[home + Bucket.Strayed]! < probe) words[home + Bucket.Strayed] = probe
      setTag(words, bucket, slot, key.tag)
      // The location goes last: it makes the entry.
      words[bucket + Bucket.Locations + slot] = location
      return true
    }
    return false
  }

  #firstPageLocked(stripe: number, useReserve: boolean): boolean {
    const page = this.#takeIndexPage(stripe, useReserve)
    if (page === 0) return false
    this.#memory.control[this.#memory.directoriesAt + (stripe << this.#memory.depthMax)] = page
    return true
  }

  #takeIndexPage(stripe: number, useReserve: boolean): number {
    const page = this.#log.takeIndexPageLocked(stripe, useReserve)
    if (page === 0) return 0
    const from = this.#bucketAt(page, 0)
    this.#wordsOf(page).fill(0, from, from + (this.#memory.bucketMask + 1) * BUCKET_WORDS)
    // Only now: what an index page of the stripe leads to is believed.
    this.#log.becomeIndexLocked(stripe, page)
    return page
  }

  /** Splits the full index page that `key` leads to. Every entry is in one of the two pages at any moment. */
  #splitLocked(page: number, key: Key, useReserve: boolean): boolean {
    const { control, depthMax } = this.#memory
    const { stripe } = key
    const pageAt = this.#memory.pageAt(page)
    const localDepth = control[pageAt + Page.Used]!
    const depthAt = this.#memory.stripeAt(stripe) + Stripe.Depth
    if (localDepth === depthMax) return false
    const sibling = this.#takeIndexPage(stripe, useReserve)
    if (sibling === 0) return false
    if (localDepth === control[depthAt]) this.#doubleLocked(stripe)

    this.#moveHalf(page, sibling, localDepth)
    control[pageAt + Page.Used] = localDepth + 1
    control[this.#memory.pageAt(sibling) + Page.Used] = localDepth + 1
    const depth = control[depthAt]!
    const prefix = (key.second >>> 1) >>> (31 - localDepth)
    const count = 1 << (depth - localDepth - 1)
    const from = this.#memory.directoriesAt + (stripe << depthMax) + (prefix * 2 + 1) * count
    control.fill(sibling, from, from + count)
    return true
  }

  #doubleLocked(stripe: number): void {
    const { control, depthMax } = this.#memory
    const directory = this.#memory.directoriesAt + (stripe << depthMax)
    for (let entry = this.entriesLocked(stripe) - 1; entry >= 0; entry--) {
      const page = control[directory + entry]!
      control[directory + entry * 2 + 1] = page
      control[directory + entry * 2] = page
    }
    control[this.#memory.stripeAt(stripe) + Stripe.Depth]! += 1
  }

  /**
   * Moves the entries whose next hash bit is set to the same slots of `sibling`, where nothing can be in their way.
   * Ghosts are dropped, and how far entries strayed is noted afresh.
   */
  #moveHalf(page: number, sibling: number, localDepth: number): void {
    const words = this.#wordsOf(page)
    const siblingWords = this.#wordsOf(sibling)
    const key = this.#moving
    const stayed = this.#strayed.stayed.fill(0)
    const moved = this.#strayed.moved.fill(0)
    for (let bucket = 0; bucket <= this.#memory.bucketMask; bucket++) {
      const from = this.#bucketAt(page, bucket)
      const to = this.#bucketAt(sibling, bucket)
      for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
        const location = words[from + Bucket.Locations + slot]!
        let stays = false
        if (location > 0) {
          this.#cursor.at(location).readKey(key)
          stays = ((key.second >>> (31 - localDepth)) & 1) === 0
          this.#noteStrayed(stays ? stayed : moved, key, bucket)
          if (!stays) {
            setTag(siblingWords, to, slot, key.tag)
            siblingWords[to + Bucket.Locations + slot] = location
          }
        }
        if (!stays) words[from + Bucket.Locations + slot] = 0
      }
    }
    for (let bucket = 0; bucket <= this.#memory.bucketMask; bucket++) {
      words[this.#bucketAt(page, bucket) + Bucket.Strayed] = stayed[bucket]!
      siblingWords[this.#bucketAt(sibling, bucket) + Bucket.Strayed] = moved[bucket]!
    }
  }

  #noteStrayed(strayed: Uint8Array, key: Key, bucket: number): void {
    const { bucketMask } = this.#memory
    const home = key.bucket & bucketMask
    let probe = 0
    while ((probed(key, probe) & bucketMask) !== bucket) probe++
    if (strayed[home]! < probe) strayed[home] = probe
  }
}

/** The bucket that a key is looked for in at the given probe, 0 being its home. The odd step visits no bucket twice. */
function probed(key: Key, probe: number): number {
  return key.bucket + probe * ((key.second & 0xff) | 1)
}

/** What a slot holds to remember a key: never a location, and never 0. */
function ghostOf(key: Key): number {
  return GHOST | key.second
}

function slotOf(words: Int32Array, bucket: number, value: number): number {
  const at = bucket + Bucket.Locations
  for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
    if (words[at + slot] === value) return slot
  }
  return NO_SLOT
}

function anyGhost(words: Int32Array, bucket: number): number {
  const at = bucket + Bucket.Locations
  for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
    if (words[at + slot]! < 0) return slot
  }
  return NO_SLOT
}

function setTag(words: Int32Array, bucket: number, slot: number, tag: number): void {
  const at = bucket + Bucket.Tags + (slot >> 2)
  const shift = (slot & 3) << 3
  words[at] = (words[at]! & ~(0xff << shift)) | (tag << shift)
}
