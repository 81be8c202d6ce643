/**
 * What the store counts. Each thread slot has a row of doubles that only its thread writes, so counting needs
 * neither lock nor atomic; a reader adds the rows up and may miss an operation that is just happening. A slot's next
 * thread goes on with the row.
 */
import { SIZE_CLASSES, THREAD_SLOTS } from './layout.js'
import { COUNTER_CELLS, type Memory } from './memory.js'

export const COUNTER_NAMES = [
  'getMisses',
  'getExpired',
  'touchMisses',
  'deleteMisses',
  'incrMisses',
  'decrMisses',
  'casMisses',
  'storeTooLarge',
  'storeNoMemory',
  'totalItems',
  'evictions',
  'evictedUnfetched',
  'evictedActive',
  'expiredUnfetched',
  'reclaimed',
  'crawlerReclaimed',
  'crawlerItemsChecked',
  'directReclaims',
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
type PlainCounterName = (typeof COUNTER_NAMES)[number]

/** A counter's cell in its row. */
export const Counter = Object.fromEntries(COUNTER_NAMES.map((name, cell) => [name, cell])) as Record<
  PlainCounterName,
  number
>

/** What is done to items that are there, or offered, counted by size class alone: its total is the classes' sum. */
export const COMMAND_NAMES = [
  'getHits',
  'cmdSet',
  'deleteHits',
  'incrHits',
  'decrHits',
  'casHits',
  'casBadval',
  'touchHits',
] as const
type CommandName = (typeof COMMAND_NAMES)[number]

/** `cmdGet` and `cmdTouch` are hits and misses together. */
export type CounterName = PlainCounterName | CommandName | 'cmdGet' | 'cmdTouch'

export const CLASS_COUNTER_NAMES = [
  ...COMMAND_NAMES,
  // When an item goes or finds no room: rarely enough to be counted here as well.
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

const CELLS_PER_CLASS = CLASS_COUNTER_NAMES.length
const CLASSES_AT = COUNTER_CELLS - CELLS_PER_CLASS * SIZE_CLASSES

function classCell(counter: number, size: number): number {
  return CLASSES_AT + CELLS_PER_CLASS * size + counter
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
  for (const name of COMMAND_NAMES) sums[name] = sumOverClasses(memory, ClassCounter[name])
  sums.cmdGet = sums.getHits + sums.getMisses
  sums.cmdTouch = sums.touchHits + sums.touchMisses
  return sums
}

function sumOverClasses(memory: Memory, counter: number): number {
  let total = 0
  for (let size = 0; size < SIZE_CLASSES; size++) total += sinceReset(memory, classCell(counter, size))
  return total
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
