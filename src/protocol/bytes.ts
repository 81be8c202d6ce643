/** A byte array with a `DataView` on the same bytes: short copies move four bytes at a time through the view. */
export interface ByteSource {
  readonly u8: Uint8Array
  readonly view: DataView
}

export function byteSource(u8: Uint8Array): ByteSource {
  return { u8, view: new DataView(u8.buffer, u8.byteOffset, u8.byteLength) }
}

export const CR = 13
export const LF = 10
export const SPACE = 32

const encoder = new TextEncoder()

/** A constant of the protocol, encoded once. */
export function ascii(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Whether `length` bytes from `start` on spell exactly `word`. */
export function spells(u8: Uint8Array, start: number, length: number, word: Uint8Array): boolean {
  if (length !== word.length) return false
  for (let i = 0; i < length; i++) if (u8[start + i] !== word[i]) return false
  return true
}
