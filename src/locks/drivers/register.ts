/** What every engine's registers have in common: where they lie, and what they refuse. */
import { randomBytes } from 'node:crypto'
import { LockArgumentError } from '../errors.js'

/** Begins the key of a register, where engines have one space of keys: no lock's begins so. */
export const REGISTER_PREFIX = 'latchkey:register:'

export function isRegister(key: string): boolean {
  return key.startsWith(REGISTER_PREFIX)
}

/** Less than every engine takes, so that what works on one works on all. */
const LONGEST_VALUE_BYTES = 4096
/** Every engine can count so far. */
const LONGEST_LIFE_MS = 100 * 365 * 86_400_000
/** PostgreSQL has no such character, and half a surrogate pair has no bytes of its own. */
const UNFIT = /[\0\p{Cs}]/u

/** Throws LockArgumentError for what is longer than 4 KiB, is no text, or is to be kept for no time or for ever. */
export function checkRegister(key: string, value: string, ttlMs: number): void {
  const refuse = (why: string) => {
    throw new LockArgumentError(why, key)
  }
  const bytes = Buffer.byteLength(value)
  if (bytes > LONGEST_VALUE_BYTES) refuse(`a register has at most ${LONGEST_VALUE_BYTES} bytes, not ${bytes}`)
  if (UNFIT.test(value)) refuse('a register has text, without the character 0 and halves of others')
  if (!(ttlMs > 0 && ttlMs <= LONGEST_LIFE_MS)) refuse(`a register is kept for a time up to 100 years, not ${ttlMs} ms`)
}

/** The value behind a number of its own, for engines that tell by the whole whether it has changed: never the same text twice. */
export function encodeAnew(value: string): string {
  return `${randomBytes(8).toString('hex')} ${value}`
}

/** What somebody else has written has no number. */
export function decodeRegister(text: string): string {
  return text.replace(/^[0-9a-f]{16} /, '')
}
