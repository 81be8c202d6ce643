/** Constant text, kept as 32-bit words, so that the output writes `STORED\r\n` in two moves. */
import { ascii } from './bytes.js'

export class Text {
  /** Bytes. */
  readonly length: number
  /** Big-endian words; the last one is padded with zeros that the next write covers. */
  readonly words: Int32Array

  constructor(text: string) {
    const bytes = ascii(text)
    this.length = bytes.length
    this.words = new Int32Array(Math.ceil(bytes.length / 4))
    bytes.forEach((byte, at) => {
      this.words[at >> 2] |= byte << (24 - 8 * (at & 3))
    })
  }

  toString(): string {
    const bytes = Array.from({ length: this.length }, (_, at) => (this.words[at >> 2] >>> (24 - 8 * (at & 3))) & 255)
    return String.fromCharCode(...bytes)
  }
}

export function line(text: string): Text {
  return new Text(`${text}\r\n`)
}
