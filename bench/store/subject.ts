/** What the embedded benchmark drives: a cache of one of these levels, seen from one thread. */

export const levels = ['raw', 'table', 'store', 'store, string keys'] as const
export type Level = (typeof levels)[number]

export const keyCount = 100_000
export const keyBytes = 12
export const valueBytes = 100

export interface Subject {
  /** Copies the value out, and returns its length; 0 on a miss. */
  get(item: number): number
  set(item: number): void
}

/** All keys, one after the other. */
export function keyBlock(): Uint8Array {
  return Buffer.from(Array.from({ length: keyCount }, (_, item) => keyText(item)).join(''), 'latin1')
}

export function keyText(item: number): string {
  return `k${String(item).padStart(keyBytes - 1, '0')}`
}

export function sampleValue(): Uint8Array {
  return Uint8Array.from({ length: valueBytes }, (_, index) => (index * 7 + 1) & 0xff)
}
