/**
 * The store as programs use it: string or byte keys, values in and out, errors thrown. All calls are synchronous
 * and safe from every thread that has attached. Underneath is the table, which servers use directly.
 */
import type { Worker } from 'node:worker_threads'
import { Bytes } from './bytes.js'
import type { Clock } from './clock.js'
import { NotANumberError, StoreArgumentError, StoreMemoryError, ValueTooLargeError } from './errors.js'
import type { Key } from './key.js'
import { KEY_MAX } from './layout.js'
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
}

const FLAGS_MAX = 2 ** 32 - 1
const U64_END = 2n ** 64n
/** Values are handed out of slabs of this size: one allocation for hundreds of small values. */
const SLAB_BYTES = 64 * 1024
const SLAB_VALUE_MAX = 4 * 1024

/** Takes values out from under the stripe's lock, into memory of the caller's own. */
class ValueReader implements ItemReader {
  value: Uint8Array = new Uint8Array(0)
  flags = 0
  cas = 0n
  wantsCas = false
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
    if (this.wantsCas) this.cas = view.cas
  }
}

export class Store {
  readonly #table: Table
  readonly #key: Key
  readonly #keyBytes = Bytes.allocate(KEY_MAX)
  readonly #keyEncoder = new TextEncoder()
  readonly #reader = new ValueReader()
  readonly #read = readOptions()
  readonly #write = writeOptions()
  readonly #remove = removeOptions()
  readonly #arithmetic = arithmeticOptions()
  #lastValue: Bytes | undefined

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
    const { value, flags, cas } = this.#reader
    return { value, flags, cas }
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
    if (typeof cas !== 'bigint') throw new StoreArgumentError(`a CAS token is a bigint, not ${typeof cas}`)
    const outcome = this.#store(WriteMode.Set, key, value, options, cas)
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

  /** True when there was an item. */
  delete(key: string | Uint8Array): boolean {
    this.#take(key)
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

  #find(key: string | Uint8Array, wantsCas: boolean): boolean {
    this.#take(key)
    this.#reader.wantsCas = wantsCas
    return this.#table.read(this.#key, this.#read, this.#reader)
  }

  #store(
    mode: WriteMode,
    key: string | Uint8Array,
    value: string | Uint8Array,
    options: SetOptions | undefined,
    compareCas: bigint | undefined,
  ): Outcome {
    const bytes = this.#bytesOf(value)
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
    const { u8 } = this.#keyBytes
    if (typeof key !== 'string') {
      if (!(key instanceof Uint8Array)) throw new StoreArgumentError(`a key is a string or bytes, not ${typeof key}`)
      if (key.length <= KEY_MAX) u8.set(key)
      this.#key.setBytes(this.#keyBytes, 0, key.length)
      return
    }
    const length = key.length
    if (length > KEY_MAX) throw new StoreArgumentError(`a key has 1 to ${KEY_MAX} bytes, not ${length}`)
    for (let i = 0; i < length; i++) {
      const code = key.charCodeAt(i)
      if (code > 0x7f) {
        this.#takeUnicode(key)
        return
      }
      u8[i] = code
    }
    this.#key.setBytes(this.#keyBytes, 0, length)
  }

  #takeUnicode(key: string): void {
    const { read, written } = this.#keyEncoder.encodeInto(key, this.#keyBytes.u8)
    if (read < key.length) throw new StoreArgumentError(`a key has 1 to ${KEY_MAX} bytes, not more`)
    this.#key.setBytes(this.#keyBytes, 0, written)
  }

  /** The same array stored again and again keeps its wrapper. */
  #bytesOf(value: string | Uint8Array): Bytes {
    if (typeof value === 'string') return new Bytes(Buffer.from(value))
    if (!(value instanceof Uint8Array))
      throw new StoreArgumentError(`a value is a string or bytes, not ${typeof value}`)
    if (this.#lastValue?.u8 !== value) this.#lastValue = new Bytes(value)
    return this.#lastValue!
  }
}

function checkTtl(ttlMs: number): number {
  if (!Number.isFinite(ttlMs)) throw new StoreArgumentError(`a time to live is a number of milliseconds, not ${ttlMs}`)
  return ttlMs
}

function checkFlags(flags: number): number {
  if (!Number.isInteger(flags) || flags < 0 || flags > FLAGS_MAX)
    throw new StoreArgumentError(`flags are 0 to ${FLAGS_MAX}, not ${flags}`)
  return flags
}

function checkFence(fence: bigint): bigint {
  if (typeof fence === 'bigint' && fence >= 0n && fence < U64_END) return fence
  throw new StoreArgumentError(`a fence is a bigint from 0 to 2^64 − 1, not ${fence}`)
}

function checkDelta(delta: bigint | number): bigint {
  if (typeof delta === 'number' && !Number.isSafeInteger(delta))
    throw new StoreArgumentError(`a delta is a whole number from 0 to 2^64 − 1, not ${delta}`)
  const whole = BigInt(delta)
  if (whole < 0n || whole >= U64_END)
    throw new StoreArgumentError(`a delta is a whole number from 0 to 2^64 − 1, not ${delta}`)
  return whole
}
