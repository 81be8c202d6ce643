/** The items that every case reads and writes. */
import { keyBytes } from './cases.js'

export function keyName(key: number): string {
  return `k${String(key).padStart(keyBytes - 1, '0')}`
}

/** A value names its key, so that a reply with another key's value is noticed. */
export function valueFor(key: number, valueBytes: number): string {
  return keyName(key).padEnd(valueBytes, 'x')
}
