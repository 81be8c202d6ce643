/**
 * What the store counts. Each thread slot has a row of doubles that only its thread writes, so counting needs
 * neither lock nor atomic; a reader adds the rows up and may miss an operation that is just happening. A slot's next
 * thread goes on with the row.
 */
import { SIZE_CLASSES, THREAD_SLOTS } from './layout.js'
import { COUNTER_CELLS, type Memory } from './memory.js'

export const COUNTER_NAMES = [
  'cmdGet',
  'cmdTouch',
  'getHits',
  'getMisses',
  'getExpired',
  'touchHits',
  'touchMisses',
  'deleteHits',
  'deleteMisses',
  'incrHits',
  'incrMisses',
  'decrHits',
  'decrMisses',
  'casHits',
  'casMisses',
  'casBadval',
  'storeTooLarge',
  'storeNoMemory',
  'totalItems',
  'evictions',
  'evictedUnfetched',
  'evictedActive',
  'expiredUnfetched',
  'reclaimed',
  'crawlerReclaimed',
  'compactedItems',
  'promotedItems',
  'repairs',
  'repairDropped',
  'handOvers',
  'waits',
  'waitsTimedOut',
  'waitsRefused',
  'waitsAbandoned',
] as const
export type CounterName = (typeof COUNTER_NAMES)[number]

/** A counter's cell in its row. */
export const Counter = Object.fromEntries(COUNTER_NAMES.map((name, cell) => [name, cell])) as Record<
  CounterName,
  number
>

/** What is counted by size class as well, when an item goes or finds no room: rarely enough for that. */
export const CLASS_COUNTER_NAMES = [
  'evicted',
  'evictedNonzero',
  'evictedUnfetched',
  'evictedActive',
  'outofmemory',
  'reclaimed',
  'expiredUnfetched',
  'crawlerReclaimed',
] as const
export type ClassCounterName = (typeof CLASS_COUNTER_NAMES)[number]
export const ClassCounter = Object.fromEntries(CLASS_COUNTER_NAMES.map((name, cell) => [name, cell])) as Record<
  ClassCounterName,
  number
>

function classCell(counter: number, size: number): number {
  return COUNTER_CELLS - CLASS_COUNTER_NAMES.length * (SIZE_CLASSES - size) + counter
}

/** This thread's row. */
export class Counters {
  readonly #doubles: Float64Array
  readonly #row: number

  constructor(memory: Memory, slot: number) {
    this.#doubles = memory.doubles
    this.#row = (memory.countersAt >> 1) + slot * COUNTER_CELLS
  }

  add(counter: number): void {
    this.#doubles[this.#row + counter]! += 1
  }

  addOfClass(counter: number, size: number): void {
    this.#doubles[this.#row + classCell(counter, size)]! += 1
  }
}

function sum(memory: Memory, cell: number): number {
  let total = 0
  for (let slot = 0; slot < THREAD_SLOTS; slot++)
    total += memory.doubles[(memory.countersAt >> 1) + slot * COUNTER_CELLS + cell]!
  return total
}

/** The row behind all threads' holds what the sums were at the last reset. */
function baseline(memory: Memory): number {
  return (memory.countersAt >> 1) + THREAD_SLOTS * COUNTER_CELLS
}

function sinceReset(memory: Memory, cell: number): number {
  return sum(memory, cell) - memory.doubles[baseline(memory) + cell]!
}

/** All rows added up, by name, since the last reset. */
export function sumCounters(memory: Memory): Record<CounterName, number> {
  const sums = {} as Record<CounterName, number>
  COUNTER_NAMES.forEach((name, cell) => {
    sums[name] = sinceReset(memory, cell)
  })
  return sums
}

/** Likewise of one size class. */
export function sumClassCounters(memory: Memory, size: number): Record<ClassCounterName, number> {
  const sums = {} as Record<ClassCounterName, number>
  CLASS_COUNTER_NAMES.forEach((name, counter) => {
    sums[name] = sinceReset(memory, classCell(counter, size))
  })
  return sums
}

/** Makes the sums begin at 0 again. The rows stay as they are: only their own threads write them. */
export function resetCounters(memory: Memory): void {
  for (let cell = 0; cell < COUNTER_CELLS; cell++) memory.doubles[baseline(memory) + cell] = sum(memory, cell)
  memory.control.fill(0, memory.evictedIdleAt, memory.evictedIdleAt + SIZE_CLASSES)
}
