/**
 * Numbers as incr and decr see them: decimal text of 64 bits unsigned, which decr may leave with spaces behind.
 * memcached reads them with C's `strtoull`, so other white space, a sign and leading zeros are good too.
 */
import type { Bytes } from './bytes.js'

/** Digits of 2^64 − 1. */
export const DIGITS_MAX = 20
export const U64_MAX = 2n ** 64n - 1n
/** Values of half a mebibyte are never numbers: memcached keeps them in pieces, and reads none. Bytes. */
export const NUMBER_LENGTH_MAX = 2 ** 19 - 1

const ZERO = 48
const PLUS = 43
const MINUS = 45
const I64_MAX = 2n ** 63n - 1n

/**
 * The number that the `length` bytes from `start` on begin with, or undefined when they do not: white space, a sign,
 * digits, and then the end, white space or a zero byte. Anything may follow those.
 */
export function parseU64(source: Bytes, start: number, length: number): bigint | undefined {
  const { u8 } = source
  const end = start + length
  let at = start
  while (at < end && isSpace(u8[at]!)) at++
  const sign = at < end ? u8[at] : ZERO
  if (sign === PLUS || sign === MINUS) at++
  const first = at
  while (at < end && u8[at] === ZERO) at++
  const significant = at
  while (at < end && isDigit(u8[at]!)) at++
  if (at === first || (at < end && u8[at] !== 0 && !isSpace(u8[at]!))) return undefined
  const value = digits(u8, significant, at)
  if (value === undefined) return undefined
  const wrapped = sign === MINUS ? BigInt.asUintN(64, -value) : value
  // What looks negative in 64 bits signed is refused if there is a minus sign, even one behind the number.
  return wrapped > I64_MAX && hasMinus(u8, start, end) ? undefined : wrapped
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9
}

/** As C has it: tab to carriage return, and the space. */
function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13)
}

/** Digits only, without leading zeros; undefined when they say more than 64 bits hold. */
function digits(u8: Uint8Array, start: number, end: number): bigint | undefined {
  if (end - start > DIGITS_MAX) return undefined
  let high = 0n
  let low = 0
  for (let i = start; i < end; i++) {
    // Fifteen digits are exact in a double; only longer numbers need a bigint for their front.
    if (i - start === 15) {
      high = BigInt(low)
      low = 0
    }
    low = low * 10 + u8[i]! - ZERO
  }
  if (end - start <= 15) return BigInt(low)
  const value = high * 10n ** BigInt(end - start - 15) + BigInt(low)
  return value <= U64_MAX ? value : undefined
}

/** Up to the first zero byte, where C's text ends. */
function hasMinus(u8: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end && u8[i] !== 0; i++) if (u8[i] === MINUS) return true
  return false
}

/** Writes a number's digits and returns how many. */
export function writeU64(value: bigint, target: Bytes, start: number): number {
  const text = value.toString()
  for (let i = 0; i < text.length; i++) target.u8[start + i] = text.charCodeAt(i)
  return text.length
}
