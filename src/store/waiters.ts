/**
 * The table of waiters: places taken and freed without a lock, the queue of each stripe under the stripe's lock. Who is
 * next is `hand-over.ts`, and how a thread learns of it `waits.ts`.
 */

import type { Bytes } from './bytes.js'
import { copyBytes } from './bytes.js'
import type { Key } from './key.js'
import { Mark, Stripe, THREAD_SLOTS } from './layout.js'
import type { Memory } from './memory.js'
import {
  ownerOfState,
  STATE_MASK,
  stateWord,
  stripeOfState,
  Waiter,
  WaiterDouble,
  WaiterState,
} from './waiter-layout.js'

/** The item that a waiter is to get. */
export interface WaitingItem {
  readonly flags: number
  readonly ttlMs: number
  readonly newCas: bigint | undefined
}

export class Waiters {
  readonly #memory: Memory
  readonly #slot: number
  /** Where the last free place was found: the next one is mostly behind it. */
  #hint: number

  /** `slot` is this thread's. */
  constructor(memory: Memory, slot: number) {
    this.#memory = memory
    this.#slot = slot
    // Threads begin at different places, so as not to try for the same.
    this.#hint = (slot * 61) % memory.waiters
  }

  /** Takes a free place for `key`. @returns its number, or 0 when there is none. */
  reserve(key: Key): number {
    const { waiters, waiterWords } = this.#memory
    const word = stateWord(key.stripe, this.#slot, WaiterState.Reserved)
    for (let tried = 0; tried < waiters; tried++) {
      this.#hint = (this.#hint + 1) % waiters
      const waiter = this.#hint + 1
      if (Atomics.compareExchange(waiterWords, this.#memory.waiterStateAt(waiter), 0, word) !== 0) continue
      this.#writeKey(waiter, key)
      return waiter
    }
    return 0
  }

  #writeKey(waiter: number, key: Key): void {
    const { waiterWords } = this.#memory
    const at = this.#memory.waiterAt(waiter)
    waiterWords[at + Waiter.KeyLength] = key.length
    waiterWords[at + Waiter.Hash] = key.first
    for (let i = 0; i < key.wordLength; i++) waiterWords[at + Waiter.Key + i] = key.words[i]!
  }

  /** Notes what a reserved waiter is to store. The value is at most `WAITING_VALUE_MAX` bytes. */
  writeItem(waiter: number, value: Bytes, start: number, length: number, item: WaitingItem): void {
    const { waiterWords, waiterBytes } = this.#memory
    const at = this.#memory.waiterAt(waiter)
    waiterWords[at + Waiter.ValueLength] = length
    waiterWords[at + Waiter.Flags] = item.flags | 0
    waiterWords[at + Waiter.HasOwnCas] = item.newCas === undefined ? 0 : 1
    if (item.newCas !== undefined) this.setCas(waiter, item.newCas)
    this.#setDouble(waiter, WaiterDouble.TtlMs, item.ttlMs)
    copyBytes(value, start, waiterBytes, (at + Waiter.Value) << 2, length)
  }

  /** Gives a place back. */
  free(waiter: number): void {
    Atomics.store(this.#memory.waiterWords, this.#memory.waiterStateAt(waiter), 0)
  }

  stateOf(waiter: number): WaiterState {
    return (this.#stateWord(waiter) & STATE_MASK) as WaiterState
  }

  /** The thread slot that a waiter belongs to, −1 for a free place. */
  ownerOf(waiter: number): number {
    return ownerOfState(this.#stateWord(waiter))
  }

  /** Everything that was written of the waiter before is visible to who sees the new state. */
  setState(waiter: number, state: WaiterState): void {
    const { waiterWords } = this.#memory
    const at = this.#memory.waiterStateAt(waiter)
    Atomics.store(waiterWords, at, (waiterWords[at]! & ~STATE_MASK) | state)
  }

  /** Takes note of `Look`, unless the waiter has been granted meanwhile. False when there was nothing to take note of. */
  heedLook(waiter: number): boolean {
    const { waiterWords } = this.#memory
    const at = this.#memory.waiterStateAt(waiter)
    const seen = Atomics.load(waiterWords, at)
    if ((seen & STATE_MASK) !== WaiterState.Look) return false
    return Atomics.compareExchange(waiterWords, at, seen, seen ^ WaiterState.Look ^ WaiterState.Waiting) === seen
  }

  stripeOf(waiter: number): number {
    return stripeOfState(this.#stateWord(waiter))
  }

  hashOf(waiter: number): number {
    return this.#word(waiter, Waiter.Hash)
  }

  readKey(waiter: number, key: Key): void {
    const at = this.#memory.waiterAt(waiter)
    key.setWords(this.#memory.waiterWords, at + Waiter.Key, this.#word(waiter, Waiter.KeyLength))
  }

  valueLengthOf(waiter: number): number {
    return this.#word(waiter, Waiter.ValueLength)
  }

  /** Where a waiter's value begins in `memory.waiterBytes`. */
  valueAt(waiter: number): number {
    return (this.#memory.waiterAt(waiter) + Waiter.Value) << 2
  }

  flagsOf(waiter: number): number {
    return this.#word(waiter, Waiter.Flags) >>> 0
  }

  ttlOf(waiter: number): number {
    return this.#double(waiter, WaiterDouble.TtlMs)
  }

  sinceOf(waiter: number): number {
    return this.#double(waiter, WaiterDouble.SinceMs)
  }

  setSince(waiter: number, ms: number): void {
    this.#setDouble(waiter, WaiterDouble.SinceMs, ms)
  }

  ownCasOf(waiter: number): bigint | undefined {
    return this.#word(waiter, Waiter.HasOwnCas) === 0 ? undefined : this.casOf(waiter)
  }

  casOf(waiter: number): bigint {
    const high = BigInt(this.#word(waiter, Waiter.CasHigh) >>> 0)
    return (high << 32n) | BigInt(this.#word(waiter, Waiter.CasLow) >>> 0)
  }

  setCas(waiter: number, cas: bigint): void {
    const { waiterWords } = this.#memory
    const at = this.#memory.waiterAt(waiter)
    waiterWords[at + Waiter.CasHigh] = Number(cas >> 32n) | 0
    waiterWords[at + Waiter.CasLow] = Number(cas & 0xffffffffn) | 0
  }

  /** Wakes the owner's thread, to look at the states of its waiters. The last thing that is done to a waiter. */
  signal(slot: number): void {
    Atomics.add(this.#memory.waiterWords, slot, 1)
    Atomics.notify(this.#memory.waiterWords, slot)
  }

  /** Wakes every thread: the one that was to signal some of them died. */
  signalAll(): void {
    for (let slot = 0; slot < THREAD_SLOTS; slot++) this.signal(slot)
  }

  /** The oldest waiter of a stripe, or 0. */
  firstLocked(stripe: number): number {
    return this.#memory.control[this.#memory.stripeAt(stripe) + Stripe.FirstWaiter]!
  }

  nextLocked(waiter: number): number {
    return this.#word(waiter, Waiter.Next)
  }

  /** Puts a reserved waiter at the end of its stripe's queue. */
  enqueueLocked(stripe: number, waiter: number): void {
    const { control, waiterWords } = this.#memory
    const last = control[this.#memory.stripeAt(stripe) + Stripe.LastWaiter]!
    const arrival = last === 0 ? 0 : (this.#word(last, Waiter.Arrival) + 1) | 0
    waiterWords[this.#memory.waiterAt(waiter) + Waiter.Arrival] = arrival
    // From here on a repair finds it, in the queue or not.
    this.setState(waiter, WaiterState.Waiting)
    this.#linkLocked(stripe, waiter)
  }

  #linkLocked(stripe: number, waiter: number): void {
    const { control, waiterWords } = this.#memory
    const at = this.#memory.stripeAt(stripe)
    const last = control[at + Stripe.LastWaiter]!
    const own = this.#memory.waiterAt(waiter)
    waiterWords[own + Waiter.Previous] = last
    waiterWords[own + Waiter.Next] = 0
    if (last === 0) control[at + Stripe.FirstWaiter] = waiter
    else waiterWords[this.#memory.waiterAt(last) + Waiter.Next] = waiter
    control[at + Stripe.LastWaiter] = waiter
    control[at + Stripe.Marks]! |= Mark.HasWaiters
  }

  /** Takes a waiter out of its stripe's queue. Its state says that it waits until the caller gives it another. */
  leaveLocked(stripe: number, waiter: number): void {
    const { control, waiterWords } = this.#memory
    const at = this.#memory.stripeAt(stripe)
    const next = this.#word(waiter, Waiter.Next)
    const previous = this.#word(waiter, Waiter.Previous)
    if (previous === 0) control[at + Stripe.FirstWaiter] = next
    else waiterWords[this.#memory.waiterAt(previous) + Waiter.Next] = next
    if (next === 0) control[at + Stripe.LastWaiter] = previous
    else waiterWords[this.#memory.waiterAt(next) + Waiter.Previous] = previous
    if (next === 0 && previous === 0) control[at + Stripe.Marks]! &= ~Mark.HasWaiters
  }

  /** How many wait for `key`. */
  countLocked(key: Key): number {
    let count = 0
    for (let waiter = this.firstLocked(key.stripe); waiter !== 0; waiter = this.nextLocked(waiter))
      if (this.isFor(waiter, key)) count++
    return count
  }

  isFor(waiter: number, key: Key): boolean {
    if (this.hashOf(waiter) !== key.first || this.#word(waiter, Waiter.KeyLength) !== key.length) return false
    const at = this.#memory.waiterAt(waiter) + Waiter.Key
    for (let i = 0; i < key.wordLength; i++) if (this.#memory.waiterWords[at + i] !== key.words[i]) return false
    return true
  }

  /** Makes a stripe's queue anew from the states. */
  rebuildLocked(stripe: number): void {
    const { control, waiters } = this.#memory
    const at = this.#memory.stripeAt(stripe)
    const waiting: number[] = []
    for (let waiter = 1; waiter <= waiters; waiter++) {
      // One load: a waiter of another stripe may change while this looks.
      const word = this.#stateWord(waiter)
      if (stripeOfState(word) === stripe && isInQueue((word & STATE_MASK) as WaiterState)) waiting.push(waiter)
    }
    waiting.sort((a, b) => (this.#word(a, Waiter.Arrival) - this.#word(b, Waiter.Arrival)) | 0)
    control[at + Stripe.FirstWaiter] = 0
    control[at + Stripe.LastWaiter] = 0
    control[at + Stripe.Marks]! &= ~Mark.HasWaiters
    for (const waiter of waiting) this.#linkLocked(stripe, waiter)
  }

  #stateWord(waiter: number): number {
    return Atomics.load(this.#memory.waiterWords, this.#memory.waiterStateAt(waiter))
  }

  #word(waiter: number, cell: number): number {
    return this.#memory.waiterWords[this.#memory.waiterAt(waiter) + cell]!
  }

  #double(waiter: number, cell: number): number {
    return this.#memory.waiterDoubles[(this.#memory.waiterAt(waiter) >> 1) + cell]!
  }

  #setDouble(waiter: number, cell: number, value: number): void {
    this.#memory.waiterDoubles[(this.#memory.waiterAt(waiter) >> 1) + cell] = value
  }
}

/** The number of places in each state, by `WaiterState`; what is going on meanwhile may be seen or not. */
export function censusOf(memory: Memory): number[] {
  const counts = new Array<number>(STATE_MASK + 1).fill(0)
  for (let waiter = 1; waiter <= memory.waiters; waiter++)
    counts[memory.waiterWords[memory.waiterStateAt(waiter)]! & STATE_MASK]! += 1
  return counts
}

export function isInQueue(state: WaiterState): boolean {
  return state === WaiterState.Waiting || state === WaiterState.Look
}
