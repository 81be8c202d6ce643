/**
 * The locks that a semaphore or a read-write lock is made of: slots, each of which is one permit, and a gate, through which whoever has to
 * wait goes, one at a time.
 */
import { inspect } from 'node:util'
import { LockArgumentError } from '../../errors.js'
import { checkName } from '../../names.js'

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
  const count = checkCount(permits, 'permits', MOST_SLOTS, name)
  return placesOf(name, 'gate', (slot) => `${slot}`, count)
}

/** Other names than those of a semaphore, so that one of each may have the same name. Throws LockArgumentError. */
export function readWritePlaces(name: string, readers: unknown): Places {
  const count = checkCount(readers, 'readers', MOST_SLOTS, name)
  return placesOf(name, 'write', (slot) => `read/${slot}`, count)
}

/** A whole number from 1 to `most`. */
export function checkCount(count: unknown, what: string, most: number, name: string): number {
  if (typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= most) return count
  throw new LockArgumentError(`${what} is a whole number from 1 to ${most}, not ${inspect(count)}`, name)
}

function placesOf(name: string, gate: string, slot: (at: number) => string, count: number): Places {
  checkName(name)
  const slots = Array.from({ length: count }, (_, at) => checkName(`${name}/${slot(at)}`))
  return { name, gate: checkName(`${name}/${gate}`), slots }
}
