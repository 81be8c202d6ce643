import { inspect } from 'node:util'
import { LockArgumentError } from '../errors.js'

/** Throws LockArgumentError for what is no whole number of these. */
export function wholeNumber(value: unknown, what: string, least: number, most: number, name = ''): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw new LockArgumentError(`${what} is a whole number from ${least} to ${most}, not ${inspect(value)}`, name)
}
