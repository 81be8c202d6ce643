/** Numbers as incr and decr see them: decimal text of 64 bits unsigned, which decr may leave with spaces behind. */
import type { Bytes } from './bytes.js'

/** Digits of 2^64 − 1. */
export const DIGITS_MAX = 20
export const U64_MAX = 2n ** 64n - 1n

const ZERO = 48
const SPACE = 32

/** The number in the `length` bytes from `start` on, or undefined when it is none. */
export function parseU64(source: Bytes, start: number, length: number): bigint | undefined {
  let end = start + length
  while (end > start && source.u8[end - 1] === SPACE) end--
  if (end === start || end - start > DIGITS_MAX) return undefined
  let high = 0n
  let low = 0
  for (let i = start; i < end; i++) {
    const digit = source.u8[i]! - ZERO
    if (digit < 0 || digit > 9) return undefined
    // Fifteen digits are exact in a double; only longer numbers need a bigint for their front.
    if (i - start === 15) {
      high = BigInt(low)
      low = 0
    }
    low = low * 10 + digit
  }
  if (end - start <= 15) return BigInt(low)
  const value = high * 10n ** BigInt(end - start - 15) + BigInt(low)
  return value <= U64_MAX ? value : undefined
}

/** Writes a number's digits and returns how many. */
export function writeU64(value: bigint, target: Bytes, start: number): number {
  const text = value.toString()
  for (let i = 0; i < text.length; i++) target.u8[start + i] = text.charCodeAt(i)
  return text.length
}
