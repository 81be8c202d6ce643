/**
 * What it takes for a record to be an item: an entry in the index, its units counted as live, its place in the
 * counts by size. Nothing else publishes or unlinks records.
 */
import type { Changes } from './changes.js'
import { ClassCounter, Counter, type Counters } from './counters.js'
import type { HashIndex } from './hash-index.js'
import type { Key } from './key.js'
import { PageKind, SIZE_CLASSES, State, Stripe, UNIT_BYTES } from './layout.js'
import type { Log } from './log.js'
import type { Memory } from './memory.js'
import type { RecordCursor } from './records.js'

/** Items by size: class n holds records of more than 2^(n−1) and at most 2^n bytes. */
export function sizeClassOf(bytes: number): number {
  return Math.min(SIZE_CLASSES - 1, 32 - Math.clz32(bytes - 1))
}

export function sizeClass(units: number): number {
  return sizeClassOf(units * UNIT_BYTES)
}

/** An expired item is about to be dropped. */
export function countExpired(counters: Counters, record: RecordCursor): void {
  const size = sizeClass(record.units)
  counters.add(Counter.reclaimed)
  counters.addOfClass(ClassCounter.reclaimed, size)
  if ((record.state & State.Fetched) !== 0) return
  counters.add(Counter.expiredUnfetched)
  counters.addOfClass(ClassCounter.expiredUnfetched, size)
}

export class Items {
  readonly #memory: Memory
  readonly #log: Log
  readonly #index: HashIndex
  readonly #changes: Changes

  constructor(memory: Memory, log: Log, index: HashIndex, changes: Changes) {
    this.#memory = memory
    this.#log = log
    this.#index = index
    this.#changes = changes
  }

  /** Makes a finished record visible under a key that has none. False when the index cannot grow: it is then dropped. */
  publishLocked(stripe: number, key: Key, record: RecordCursor, useReserve: boolean): boolean {
    if (!this.#index.insertLocked(key, record.location, useReserve)) {
      this.#retireLocked(stripe, record)
      return false
    }
    this.#count(stripe, record, 1)
    return true
  }

  /** Makes a finished record visible in place of `old`, whose entry the index found last. */
  replaceLocked(stripe: number, record: RecordCursor, old: RecordCursor): void {
    this.#index.replaceLocked(record.location)
    this.#count(stripe, record, 1)
    this.#count(stripe, old, -1)
    this.#retireLocked(stripe, old)
  }

  /** Takes an item out whose entry the index found last; with `ghost` the index remembers its key. */
  unlinkLocked(stripe: number, key: Key, record: RecordCursor, ghost: boolean): void {
    this.#index.removeLocked(key, ghost)
    this.#count(stripe, record, -1)
    this.#retireLocked(stripe, record)
    this.#changes.noteLocked(stripe, key)
  }

  /** Counts an item that a repair put back. */
  recountLocked(stripe: number, record: RecordCursor): void {
    this.#count(stripe, record, 1)
  }

  #retireLocked(stripe: number, record: RecordCursor): void {
    const { units } = record
    record.state |= State.Dead
    this.#log.releaseLocked(stripe, record.location, units)
  }

  #count(stripe: number, record: RecordCursor, change: number): void {
    const { control } = this.#memory
    const at = this.#memory.stripeAt(stripe)
    const { units } = record
    const size = sizeClass(units)
    control[at + Stripe.Items]! += change
    control[at + Stripe.Classes + size]! += change
    control[at + Stripe.ClassUnits + size]! += change * units
    if (this.#log.kindOf(record.location >>> this.#memory.pageUnitsShift) === PageKind.Pinned)
      control[at + Stripe.PinnedItems]! += change
  }
}
