/** Names of locks, and the keys they have on the server. */
import { inspect } from 'node:util'
import { LockArgumentError } from './errors.js'

const LONGEST_NAME_BYTES = 200
/** Together they stay under the 250 bytes that a key may have. */
const LONGEST_PREFIX_BYTES = 50

/** Control characters and all kinds of space; half a surrogate pair has no bytes of its own. */
const UNFIT = /[\p{Cc}\p{Z}\p{Cs}]/u

/** Servers list no locks there, and Latchkey forgets in a crash that they were held. */
const REGISTERS = /^latchkey:(?:fence|register):/

/** Throws LockArgumentError for what no server could take as part of a key. */
export function checkName(name: unknown): string {
  return check(name, 'a name of a lock', 1, LONGEST_NAME_BYTES)
}

/** What a name may begin with; may be empty. */
export function checkBeginning(text: unknown): string {
  return check(text, 'the beginning of a name', 0, LONGEST_NAME_BYTES)
}

/** May be empty. */
export function checkPrefix(prefix: unknown): string {
  const checked = check(prefix, 'prefix', 0, LONGEST_PREFIX_BYTES)
  const [registers] = REGISTERS.exec(checked) ?? []
  if (registers === undefined) return checked
  throw new LockArgumentError(
    `prefix begins with ${registers}, where there are registers: no server takes those for locks`,
  )
}

/** At least one, none twice; sorted, so that all who want the same ones ask in the same order and nobody waits in a ring. */
export function checkNames(names: readonly unknown[]): string[] {
  if (names.length === 0) throw new LockArgumentError('no names of locks are given')
  const sorted = names.map(checkName).sort()
  const twice = sorted.find((name, i) => name === sorted[i + 1])
  if (twice !== undefined) throw new LockArgumentError(`${inspect(twice)} is named twice`, twice)
  return sorted
}

/** Can this be a whole key? For one that another process made of its own prefix. */
export function isKey(text: string): boolean {
  return Buffer.byteLength(text) <= LONGEST_NAME_BYTES + LONGEST_PREFIX_BYTES && !UNFIT.test(text)
}

function check(text: unknown, what: string, leastBytes: number, mostBytes: number): string {
  if (typeof text !== 'string') throw new LockArgumentError(`${what} is text, not ${inspect(text)}`)
  const bytes = Buffer.byteLength(text)
  if (bytes < leastBytes || bytes > mostBytes) {
    throw new LockArgumentError(`${what} has ${leastBytes} to ${mostBytes} bytes, not ${bytes}: ${shown(text)}`, text)
  }
  if (UNFIT.test(text)) {
    throw new LockArgumentError(`${what} has no spaces or control characters, as ${shown(text)} has`, text)
  }
  return text
}

function shown(text: string): string {
  return inspect(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
