/** Whole numbers as decimal digits, the way PHP and Python write them. */
import { malformed, unencodable } from './refusal.js'

/** As many digits as Python converts by default: with more, time grows faster than length. */
const maxDigits = 4300

export function digitsOf(codec: string, value: number | bigint): string {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return `${value}`
  throw unencodable(codec, value, 'whole numbers up to 2^53, and bigints beyond')
}

/** A number up to 2^53, beyond it a bigint. memcached's `decr` leaves blanks behind a number that has become shorter. */
export function integerOf(codec: string, data: Buffer, flags: number): number | bigint {
  const text = data.length > maxDigits ? '' : data.toString('latin1')
  const digits = /^([+-]?\d+) *$/.exec(text)?.[1]
  if (digits === undefined) throw malformed(codec, flags, 'not a whole number')
  const number = Number(digits)
  return Number.isSafeInteger(number) ? number : BigInt(digits)
}
