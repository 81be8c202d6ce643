/**
 * The store as programs use it: string or byte keys, values in and out, errors thrown. All calls are synchronous
 * and safe from every thread that has attached. Underneath is the table, which servers use directly.
 */
import type { Worker } from 'node:worker_threads'
import { Arguments, checkDelta, checkFence, checkFlags, checkToken, checkTtl } from './arguments.js'
import { Bytes } from './bytes.js'
import { type Claimed, type ClaimOptions, Claims } from './claims.js'
import type { Clock } from './clock.js'
import { NotANumberError, StoreMemoryError, ValueTooLargeError } from './errors.js'
import type { Key } from './key.js'
import type { StoreOptions } from './options.js'
import type { SizeClass, StripeStats, TableStats } from './stats.js'
import { type StoreHandle, Table } from './table.js'
import {
  arithmeticOptions,
  type ItemReader,
  type ItemView,
  Outcome,
  readOptions,
  removeOptions,
  WriteMode,
  writeOptions,
} from './types.js'

export interface SetOptions {
  /** Milliseconds to live; 0, the default, is for ever, and a negative number is over at once. */
  ttlMs?: number
  /** Client flags, 32 bits unsigned. Default 0. */
  flags?: number
}

/** An item with all that a compare-and-swap needs. */
export interface Entry {
  value: Uint8Array
  flags: number
  /** Strictly greater than every token that this key had before. */
  cas: bigint
  /** Milliseconds left to live, −1 for ever. */
  ttlMs: number
}

/** An item as `pinned` lists it. */
export interface PinnedEntry extends Entry {
  /** The key's bytes as UTF-8 text. */
  key: string
  /** How many wait for it. */
  waiting: number
}

/** Values are handed out of slabs of this size: one allocation for hundreds of small values. */
const SLAB_BYTES = 64 * 1024
const SLAB_VALUE_MAX = 4 * 1024

/** Takes values out from under the stripe's lock, into memory of the caller's own. */
class ValueReader implements ItemReader {
  value: Uint8Array = new Uint8Array(0)
  flags = 0
  cas = 0n
  ttlMs = -1
  /** Whether more than the value and its flags is asked for. */
  wantsAll = false
  #slab = Bytes.allocate(SLAB_BYTES)
  #used = 0

  item(view: ItemView): void {
    const { valueLength } = view
    if (valueLength > SLAB_VALUE_MAX) {
      const own = Bytes.allocate(valueLength)
      view.copyValue(own, 0)
      this.value = own.u8
    } else {
      if (this.#used + valueLength > SLAB_BYTES) {
        this.#slab = Bytes.allocate(SLAB_BYTES)
        this.#used = 0
      }
      view.copyValue(this.#slab, this.#used)
      this.value = new Uint8Array(this.#slab.u8.buffer, this.#used, valueLength)
      this.#used += valueLength
    }
    this.flags = view.flags
    if (!this.wantsAll) return
    this.cas = view.cas
    this.ttlMs = view.ttlMs
  }
}

export class Store {
  readonly #table: Table
  readonly #key: Key
  readonly #arguments: Arguments
  readonly #reader = new ValueReader()
  readonly #read = readOptions()
  readonly #write = writeOptions()
  readonly #remove = removeOptions()
  readonly #arithmetic = arithmeticOptions()
  #claims: Claims | undefined

  /**
   * Reserves memory for a new store; `clock` is for tests.
   * @throws StoreArgumentError for options that cannot be.
   */
  constructor(options?: StoreOptions, clock?: Clock)
  /** @internal */
  constructor(table: Table)
  constructor(from: StoreOptions | Table = {}, clock?: Clock) {
    this.#table = from instanceof Table ? from : Table.create(from, clock)
    this.#key = this.#table.newKey()
    this.#arguments = new Arguments(this.#key)
    if (!(from instanceof Table)) this.#table.startSweeper()
  }

  /**
   * The same store, from another worker thread.
   * @throws StoreThreadsError when too many threads are attached.
   */
  static attach(handle: StoreHandle, clock?: Clock): Store {
    return new Store(Table.attach(handle, clock))
  }

  /** For `attach` in another thread: pass it as `workerData` or post it. */
  get handle(): StoreHandle {
    return this.#table.handle
  }

  /** The value, in memory of its own, or undefined. */
  get(key: string | Uint8Array): Uint8Array | undefined {
    return this.#find(key, false) ? this.#reader.value : undefined
  }

  /** The value with its flags and CAS token, or undefined. */
  gets(key: string | Uint8Array): Entry | undefined {
    if (!this.#find(key, true)) return undefined
    const { value, flags, cas, ttlMs } = this.#reader
    return { value, flags, cas, ttlMs }
  }

  /** Gives an item a new time to live and returns its value, or undefined. */
  getAndTouch(key: string | Uint8Array, ttlMs: number): Uint8Array | undefined {
    this.#read.ttlMs = checkTtl(ttlMs)
    this.#read.touch = true
    try {
      return this.get(key)
    } finally {
      this.#read.touch = false
    }
  }

  /**
   * Stores a value.
   * @throws ValueTooLargeError, and then the old value is gone.
   * @throws StoreMemoryError when no memory can be freed for it.
   */
  set(key: string | Uint8Array, value: string | Uint8Array, options?: SetOptions): void {
    this.#store(WriteMode.Set, key, value, options, undefined)
  }

  /** Stores a value only if there is none. Of any number of threads that race, one gets true. */
  add(key: string | Uint8Array, value: string | Uint8Array, options?: SetOptions): boolean {
    return this.#store(WriteMode.Add, key, value, options, undefined) === Outcome.Done
  }

  /** Stores a value only if there is one already. */
  replace(key: string | Uint8Array, value: string | Uint8Array, options?: SetOptions): boolean {
    return this.#store(WriteMode.Replace, key, value, options, undefined) === Outcome.Done
  }

  /** Adds bytes behind a value; flags and time to live stay. False when there is none. */
  append(key: string | Uint8Array, value: string | Uint8Array): boolean {
    return this.#store(WriteMode.Append, key, value, undefined, undefined) === Outcome.Done
  }

  /** Adds bytes before a value; flags and time to live stay. False when there is none. */
  prepend(key: string | Uint8Array, value: string | Uint8Array): boolean {
    return this.#store(WriteMode.Prepend, key, value, undefined, undefined) === Outcome.Done
  }

  /** Stores a value only if the item still has the token that `gets` returned. */
  cas(
    key: string | Uint8Array,
    value: string | Uint8Array,
    cas: bigint,
    options?: SetOptions,
  ): 'stored' | 'exists' | 'not-found' {
    const outcome = this.#store(WriteMode.Set, key, value, options, checkToken(cas))
    if (outcome === Outcome.Done) return 'stored'
    return outcome === Outcome.Exists ? 'exists' : 'not-found'
  }

  /**
   * Adds to a decimal number, wrapping at 2^64, and returns it; undefined when there is no item.
   * @throws NotANumberError
   */
  incr(key: string | Uint8Array, delta: bigint | number = 1n): bigint | undefined {
    return this.#count(key, delta, false)
  }

  /**
   * Takes from a decimal number, stopping at 0, and returns it; undefined when there is no item.
   * @throws NotANumberError
   */
  decr(key: string | Uint8Array, delta: bigint | number = 1n): bigint | undefined {
    return this.#count(key, delta, true)
  }

  /**
   * Adds as `add` does, and tells the token of what it stored; undefined when the key has a value.
   * @throws StoreMemoryError, ValueTooLargeError
   */
  claim(key: string | Uint8Array, value: string | Uint8Array, options: SetOptions = {}): bigint | undefined {
    return this.#claiming.claim(key, value, options)
  }

  /**
   * Adds, waiting up to `waitMs` for its turn if the key has a value: whoever waits longest gets the key, over all threads,
   * at the moment at which it is deleted or expires, and no `add` comes in between. undefined when the time is over.
   * The process stays alive meanwhile. Rejects with the signal's reason when that aborts: nothing is then left behind.
   * @throws StoreMemoryError, ValueTooLargeError, ValueTooLongToWaitError (over 704 bytes), TooManyWaitersError
   */
  claimOrWait(
    key: string | Uint8Array,
    value: string | Uint8Array,
    options: ClaimOptions = {},
  ): Promise<Claimed | undefined> {
    return this.#claiming.claimOrWait(key, value, options)
  }

  /** As `cas`, telling the new token. */
  swap(
    key: string | Uint8Array,
    value: string | Uint8Array,
    cas: bigint,
    options: SetOptions = {},
  ): bigint | 'exists' | 'not-found' {
    return this.#claiming.swap(key, value, cas, options)
  }

  /** How many wait for a key. */
  waiting(key: string | Uint8Array): number {
    return this.#claiming.waiting(key)
  }

  /** All pinned items whose key begins so, without a walk over all others. Items that are stored meanwhile may be missed. */
  pinned(prefix: string): Generator<PinnedEntry> {
    return this.#claiming.pinned(prefix)
  }

  /** Made when first used: not every store has locks on it. */
  get #claiming(): Claims {
    this.#claims ??= new Claims(this.#table)
    return this.#claims
  }

  /** True when there was an item; with `cas`, only if it had that token, and otherwise nothing is deleted. */
  delete(key: string | Uint8Array, cas?: bigint): boolean {
    this.#take(key)
    this.#remove.compareCas = cas === undefined ? undefined : checkToken(cas)
    return this.#table.remove(this.#key, this.#remove) === Outcome.Done
  }

  /**
   * Stores a value unless one with a greater fence was stored, or deleted, before: then false, and nothing changes. The
   * fence of a lock is the token that winning it gave. Readers see plain values. What was accepted is remembered for as
   * long as the item lives, but a day at least and 30 days at most, beside the item, as a pinned one.
   * @throws StoreFenceError for a key of more than 235 bytes.
   * @throws ValueTooLargeError, and then the old value stays.
   * @throws StoreMemoryError when no memory can be freed for it.
   */
  setFenced(key: string | Uint8Array, value: string | Uint8Array, fence: bigint, options?: SetOptions): boolean {
    this.#write.fence = checkFence(fence)
    try {
      return this.#store(WriteMode.Set, key, value, options, undefined) === Outcome.Done
    } finally {
      this.#write.fence = undefined
    }
  }

  /**
   * Deletes an item, if there is one, unless a greater fence came before: then false, and nothing changes.
   * @throws StoreFenceError for a key of more than 235 bytes.
   * @throws StoreMemoryError when there is no room to remember the fence.
   */
  deleteFenced(key: string | Uint8Array, fence: bigint): boolean {
    this.#take(key)
    this.#remove.fence = checkFence(fence)
    try {
      const outcome = this.#table.remove(this.#key, this.#remove)
      if (outcome === Outcome.OutOfMemory) throw new StoreMemoryError()
      return outcome !== Outcome.Exists
    } finally {
      this.#remove.fence = undefined
    }
  }

  /** Gives an item a new time to live; its token stays. False when there is none. */
  touch(key: string | Uint8Array, ttlMs: number): boolean {
    this.#take(key)
    this.#read.ttlMs = checkTtl(ttlMs)
    this.#read.touch = true
    try {
      return this.#table.read(this.#key, this.#read)
    } finally {
      this.#read.touch = false
    }
  }

  /** Drops all items but pinned ones, which are locks and no cache: at once, or in `delayMs`. CAS tokens go on rising. */
  flush(delayMs = 0): void {
    this.#table.flush(checkTtl(delayMs))
  }

  /** Watches over a worker: when it ends, however, what it held is repaired and freed. Call it for every worker that attaches. */
  adopt(worker: Worker): void {
    this.#table.adopt(worker)
  }

  stats(): TableStats {
    return this.#table.stats()
  }

  sizeClasses(): SizeClass[] {
    return this.#table.sizeClasses()
  }

  stripes(): StripeStats[] {
    return this.#table.stripes()
  }

  /** Gives up this thread's place. The store itself lives as long as any thread has it. */
  close(): void {
    this.#table.close()
  }

  #find(key: string | Uint8Array, wantsAll: boolean): boolean {
    this.#take(key)
    this.#reader.wantsAll = wantsAll
    return this.#table.read(this.#key, this.#read, this.#reader)
  }

  #store(
    mode: WriteMode,
    key: string | Uint8Array,
    value: string | Uint8Array,
    options: SetOptions | undefined,
    compareCas: bigint | undefined,
  ): Outcome {
    const bytes = this.#arguments.value(value)
    this.#take(key)
    const write = this.#write
    write.mode = mode
    write.flags = checkFlags(options?.flags ?? 0)
    write.ttlMs = checkTtl(options?.ttlMs ?? 0)
    write.compareCas = compareCas
    const outcome = this.#table.write(this.#key, bytes, 0, bytes.u8.length, write)
    if (outcome === Outcome.TooLarge) throw new ValueTooLargeError(this.handle.options.itemMax)
    if (outcome === Outcome.OutOfMemory) throw new StoreMemoryError()
    return outcome
  }

  #count(key: string | Uint8Array, delta: bigint | number, decrement: boolean): bigint | undefined {
    this.#take(key)
    const options = this.#arithmetic
    options.delta = checkDelta(delta)
    options.decrement = decrement
    let result = 0n
    const outcome = this.#table.arithmetic(this.#key, options, {
      item(view) {
        const digits = Bytes.allocate(view.valueLength)
        view.copyValue(digits, 0)
        result = BigInt(Buffer.from(digits.u8.buffer).toString('latin1').trim())
      },
    })
    if (outcome === Outcome.NonNumeric) throw new NotANumberError()
    if (outcome === Outcome.OutOfMemory) throw new StoreMemoryError()
    return outcome === Outcome.Done ? result : undefined
  }

  #take(key: string | Uint8Array): void {
    this.#table.tick()
    this.#arguments.key(key)
  }
}
