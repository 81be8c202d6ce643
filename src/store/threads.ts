/** Thread slots: each thread that uses the store has one, and the lock words name it. */
import { StoreThreadsError } from './errors.js'
import { THREAD_SLOTS } from './layout.js'
import type { Memory } from './memory.js'

const FREE = 0

/**
 * Takes a free slot for the thread `threadId` (node:worker_threads).
 * One word says both that the slot is taken and by whom, so a thread that dies in here leaves no nameless slot.
 * @throws StoreThreadsError when there is none.
 */
export function takeSlot(memory: Memory, threadId: number): number {
  for (let slot = 0; slot < THREAD_SLOTS; slot++) {
    if (Atomics.compareExchange(memory.control, memory.slotsAt + slot, FREE, threadId + 1) === FREE) return slot
  }
  throw new StoreThreadsError(THREAD_SLOTS)
}

/** Frees a slot whose thread holds no lock any more. */
export function freeSlot(memory: Memory, slot: number): void {
  Atomics.store(memory.control, memory.slotsAt + slot, FREE)
}

/** The slots of one thread: it may have attached more than once. */
export function slotsOf(memory: Memory, threadId: number): number[] {
  const slots: number[] = []
  for (let slot = 0; slot < THREAD_SLOTS; slot++) {
    if (Atomics.load(memory.control, memory.slotsAt + slot) === threadId + 1) slots.push(slot)
  }
  return slots
}
