/**
 * The locks that a semaphore or a read-write lock is made of: slots, each of which is one permit, and a gate, through which whoever has to
 * wait goes, one at a time.
 */
import { checkName } from '../../names.js'
import { wholeNumber } from '../count.js'

/** Who wants a permit looks at every slot: more would be a crowd of keys, and better several semaphores. */
export const MOST_SLOTS = 256

/** Names of locks. */
export interface Places {
  /** Of the whole. */
  readonly name: string
  readonly gate: string
  readonly slots: readonly string[]
}

/** Throws LockArgumentError for a name or a number that no semaphore could have. */
export function semaphorePlaces(name: string, permits: unknown): Places {
  const count = wholeNumber(permits, 'permits', 1, MOST_SLOTS, name)
  return placesOf(name, 'gate', (slot) => `${slot}`, count)
}

/** Other names than those of a semaphore, so that one of each may have the same name. Throws LockArgumentError. */
export function readWritePlaces(name: string, readers: unknown): Places {
  const count = wholeNumber(readers, 'readers', 1, MOST_SLOTS, name)
  return placesOf(name, 'write', (slot) => `read/${slot}`, count)
}

function placesOf(name: string, gate: string, slot: (at: number) => string, count: number): Places {
  checkName(name)
  const slots = Array.from({ length: count }, (_, at) => checkName(`${name}/${slot(at)}`))
  return { name, gate: checkName(`${name}/${gate}`), slots }
}
