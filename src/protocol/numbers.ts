/**
 * Decimal numbers straight from bytes. Nothing here makes a string.
 * A refused number is −1 (or `undefined` for 64 bits): every caller has its own words for the error.
 *
 * memcached reads them with C's `strtol` and its kin: white space before a number is passed over, behind it anything may
 * follow white space, and an unsigned number may have a sign. Nobody sends such; they are looked at last.
 */

const SPACE = 32
const ZERO = 48
const PLUS = 43
const MINUS = 45

export const MAX_I32 = 2 ** 31 - 1
const MAX_U32 = 2 ** 32 - 1
const MAX_I64 = 2n ** 63n - 1n
const MAX_U64 = 2n ** 64n - 1n

/** Marks text that is no number of the wanted kind; outside the range of every 32-bit kind. */
export const NOT_A_NUMBER = -(2 ** 40)

/** Digits only, at most `max`; −1 when refused. */
function digits(u8: Uint8Array, start: number, end: number, max: number): number {
  if (start >= end) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = u8[i] - ZERO
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
    if (value > max) return -1
  }
  return value
}

/** Where `narrow` has found a number. */
let narrowStart = 0
let narrowEnd = 0

/** Finds what is between white space. False when there is none. */
function narrow(u8: Uint8Array, start: number, end: number): boolean {
  narrowStart = start
  while (narrowStart < end && isSpace(u8[narrowStart])) narrowStart++
  narrowEnd = narrowStart
  while (narrowEnd < end && !isSpace(u8[narrowEnd])) narrowEnd++
  return narrowStart > start || narrowEnd < end
}

/** As C has it: tab to carriage return, and the space. */
function isSpace(byte: number): boolean {
  return byte === SPACE || (byte >= 9 && byte <= 13)
}

/** 0 to 2^31 − 1, −1 when refused. */
export function parseLength(u8: Uint8Array, start: number, end: number): number {
  const value = digits(u8, start, end, MAX_I32)
  return value >= 0 ? value : upTo(MAX_I32, parseU64(u8, start, end))
}

/** 0 to 2^32 − 1, −1 when refused. */
export function parseU32(u8: Uint8Array, start: number, end: number): number {
  const value = digits(u8, start, end, MAX_U32)
  return value >= 0 ? value : upTo(MAX_U32, parseU64(u8, start, end))
}

function upTo(max: number, value: bigint | undefined): number {
  return value === undefined || value > max ? -1 : Number(value)
}

/** −2^31 to 2^31 − 1, `NOT_A_NUMBER` when refused. */
export function parseI32(u8: Uint8Array, start: number, end: number): number {
  const value = signed(u8, start, end)
  return value === NOT_A_NUMBER && narrow(u8, start, end) ? signed(u8, narrowStart, narrowEnd) : value
}

function signed(u8: Uint8Array, start: number, end: number): number {
  const sign = start < end ? u8[start] : 0
  const first = sign === PLUS || sign === MINUS ? start + 1 : start
  const value = digits(u8, first, end, MAX_I32)
  if (value < 0) return lowerHalf(u8, first, end, sign === MINUS)
  return sign === MINUS ? 0 - value : value
}

/**
 * Of a number that has 64 bits memcached takes the lower 32. libmemcached, and so PHP and pylibmc, depends on it: its
 * text protocol writes a time of −1 as 4294967295.
 */
function lowerHalf(u8: Uint8Array, start: number, end: number, negative: boolean): number {
  const value = u8[start] === PLUS ? undefined : unsigned(u8, start, end)
  if (value === undefined || value > MAX_I64 + (negative ? 1n : 0n)) return NOT_A_NUMBER
  return Number(BigInt.asIntN(32, negative ? -value : value))
}

/** Fifteen digits: past any clock, and exact in a double. */
const MAX_MS = 10 ** 15 - 1

/** −(10^15 − 1) to 10^15 − 1 with an optional sign, `undefined` when refused. */
export function parseMs(u8: Uint8Array, start: number, end: number): number | undefined {
  const sign = start < end ? u8[start] : 0
  const value = digits(u8, sign === PLUS || sign === MINUS ? start + 1 : start, end, MAX_MS)
  if (value < 0) return undefined
  return sign === MINUS ? -value : value
}

/** 0 to 2^64 − 1, `undefined` when refused. */
export function parseU64(u8: Uint8Array, start: number, end: number): bigint | undefined {
  const value = unsigned(u8, start, end)
  if (value !== undefined) return value
  if (narrow(u8, start, end)) return parseU64(u8, narrowStart, narrowEnd)
  return u8[start] === MINUS && u8[start + 1] !== PLUS ? negated(unsigned(u8, start + 1, end)) : undefined
}

/** Of a minus sign C takes 2^64 minus the number. memcached refuses what looks negative then: that leaves 0, and what is past 2^63. */
function negated(value: bigint | undefined): bigint | undefined {
  const wrapped = value === undefined ? MAX_U64 : BigInt.asUintN(64, -value)
  return wrapped > MAX_I64 ? undefined : wrapped
}

function unsigned(u8: Uint8Array, start: number, end: number): bigint | undefined {
  let at = u8[start] === PLUS ? start + 1 : start
  while (at < end - 1 && u8[at] === ZERO) at++
  // Up to 15 digits fit in a double exactly, and nearly all tokens do.
  if (end - at <= 15) {
    const value = digits(u8, at, end, Number.MAX_SAFE_INTEGER)
    return value < 0 ? undefined : BigInt(value)
  }
  if (end - at > 20) return undefined
  const high = digits(u8, at, end - 10, Number.MAX_SAFE_INTEGER)
  const low = digits(u8, end - 10, end, Number.MAX_SAFE_INTEGER)
  if (high < 0 || low < 0) return undefined
  const value = BigInt(high) * 10_000_000_000n + BigInt(low)
  return value > MAX_U64 ? undefined : value
}
