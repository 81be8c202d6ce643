/** A thread of a table, simulated in this one, that can be made to die at any of its writes to shared memory. */
import {
  type ArithmeticOptions,
  arithmeticOptions,
  Bytes,
  type Clock,
  type Key,
  type ReadOptions,
  type RemoveOptions,
  readOptions,
  removeOptions,
  type StoreHandle,
  type WriteOptions,
  writeOptions,
} from 'latchkey/store'
import { Engine } from '#dist/store/engine.js'
import { NeedRoom, Operations } from '#dist/store/operations.js'
import { PinnedPrefixes } from '#dist/store/pinned.js'
import { slotsOf } from '#dist/store/threads.js'
import { Death, Life, makeMortal } from './mortal-memory.js'

/** The thread id that the simulated thread goes by: no real thread has it. */
export const MORTAL_THREAD_ID = 999_999

export class MortalThread {
  readonly engine: Engine
  readonly #operations: Operations
  readonly #life = new Life()
  readonly #key: Key

  constructor(handle: StoreHandle, clock: Clock, threadId = MORTAL_THREAD_ID) {
    const { options } = handle
    this.engine = new Engine(
      handle.memory,
      { evict: options.evict, seed: handle.seed, originMs: handle.originMs, casEras: handle.casEras },
      clock,
    )
    const { memory } = this.engine
    const slot = slotsOf(memory, 0).at(-1)!
    memory.control[memory.slotsAt + slot] = threadId + 1
    this.#operations = new Operations(this.engine, {
      itemMax: options.itemMax,
      pinnedUnitsMax: (options.memory * options.pinnedShare) / 8,
      pinned: new PinnedPrefixes(options.pinnedPrefixes),
      maxLeaseMs: handle.maxLeaseMs,
    })
    this.#key = this.engine.newKey()
    makeMortal(memory, this.#life)
  }

  /** Acts, and dies before its write number `end`. @returns how many writes it did or tried. */
  live(end: number, act: (thread: MortalThread) => void): { writes: number; died: boolean } {
    this.#life.begin(end)
    this.engine.tick()
    try {
      act(this)
    } catch (error) {
      if (!(error instanceof Death)) throw error
    }
    const died = this.#life.isOver
    const { writes } = this.#life
    this.#life.begin(Number.POSITIVE_INFINITY)
    return { writes, died }
  }

  write(key: string, value: Uint8Array | string, options: Partial<WriteOptions> = {}): void {
    const bytes = new Bytes(Buffer.from(value as string))
    const all = { ...writeOptions(), ...options }
    this.#do(key, (stripe, k) => this.#operations.writeLocked(stripe, k, bytes, 0, bytes.u8.length, all, undefined))
  }

  read(key: string, options: Partial<ReadOptions> = {}): void {
    const all = { ...readOptions(), ...options }
    this.#do(key, (stripe, k) => this.#operations.readLocked(stripe, k, all, undefined))
  }

  remove(key: string, options: Partial<RemoveOptions> = {}): void {
    const all = { ...removeOptions(), ...options }
    this.#do(key, (stripe, k) => this.#operations.removeLocked(stripe, k, all, undefined))
  }

  arithmetic(key: string, options: Partial<ArithmeticOptions> = {}): void {
    const all = { ...arithmeticOptions(), ...options }
    this.#do(key, (stripe, k) => this.#operations.arithmeticLocked(stripe, k, all, undefined))
  }

  /** Joins the queue of a key. @returns its place there. */
  wait(name: string, value: string): number {
    const { waiters } = this.engine
    const bytes = new Bytes(Buffer.from(value))
    const key = this.#keyOf(name)
    const waiter = waiters.reserve(key)
    waiters.writeItem(waiter, bytes, 0, bytes.u8.length, { flags: 0, ttlMs: 0, newCas: undefined })
    this.engine.lock(key.stripe)
    waiters.enqueueLocked(key.stripe, waiter)
    this.engine.unlock(key.stripe)
    return waiter
  }

  abandon(name: string, waiter: number): void {
    this.#do(name, (stripe) => {
      this.#operations.handOver.abandonLocked(stripe, waiter)
      return 0
    })
  }

  /** Stores a value bound to a place of this thread. */
  bind(name: string, value: string): number {
    const waiter = this.engine.waiters.reserve(this.#keyOf(name))
    this.write(name, value, { bindTo: waiter })
    return waiter
  }

  #keyOf(name: string): Key {
    const bytes = new Bytes(Buffer.from(name))
    this.#key.setBytes(bytes, 0, bytes.u8.length)
    return this.#key
  }

  /** As the table does it, but that nothing is caught. */
  #do(name: string, act: (stripe: number, key: Key) => number): void {
    const { stripe } = this.#keyOf(name)
    for (let attempt = 0; attempt < 16; attempt++) {
      this.engine.lock(stripe)
      const result = act(stripe, this.#key)
      this.engine.unlock(stripe)
      if (result !== NeedRoom) return
      this.engine.makeRoom(this.#operations.pagesWanted + 4)
    }
  }
}
