/** What the database has of ours, by the name that the user gave: quoted, for statements. */
import { LockArgumentError } from '../../errors.js'

/** With what is added to it no longer than the 63 bytes that PostgreSQL looks at. */
const PART = /^[A-Za-z_][A-Za-z0-9_]{0,52}$/

export interface Tables {
  readonly locks: string
  /** A sequence. */
  readonly fence: string
  readonly registers: string
}

/** Throws LockArgumentError for what is no name of a table. */
export function tablesOf(name: unknown): Tables {
  const parts = typeof name === 'string' ? name.split('.') : []
  if (parts.length < 1 || parts.length > 2 || !parts.every((part) => PART.test(part))) {
    throw new LockArgumentError('table is a name of up to 53 letters, digits and _, or schema.table')
  }
  const named = (end: string) => parts.map((part, at) => `"${part}${at === parts.length - 1 ? end : ''}"`).join('.')
  return { locks: named(''), fence: named('_fence'), registers: named('_registers') }
}
