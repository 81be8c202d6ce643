/**
 * The growing buffer that replies are written into: a whole batch, then one system call.
 * Every method reserves what it writes; `u8` and `view` change when the buffer grows.
 */
import { ascii, type ByteSource, CR, LF } from './bytes.js'
import type { Text } from './text.js'

/** A word may be written whole where only its first bytes count. */
const SLACK = 8
const LONG_COPY = 64

export class Output implements ByteSource {
  u8: Uint8Array
  view: DataView
  /** Bytes written so far. */
  length = 0
  readonly #initial: number

  constructor(initial: number) {
    this.#initial = initial
    this.u8 = new Uint8Array(initial)
    this.view = new DataView(this.u8.buffer)
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count + SLACK > this.u8.length) this.#grow(count)
  }

  #grow(count: number): void {
    const wanted = this.length + count + SLACK
    const grown = new Uint8Array(Math.max(wanted, Math.min(this.u8.length * 2, wanted + 1_048_576)))
    grown.set(this.u8.subarray(0, this.length))
    this.u8 = grown
    this.view = new DataView(grown.buffer)
  }

  /** Gives the bytes away, because a system call still reads them, and starts afresh. */
  detach(): void {
    this.u8 = new Uint8Array(this.#initial)
    this.view = new DataView(this.u8.buffer)
    this.length = 0
  }

  /** Empties it, and lets go of memory that one huge value needed. */
  clear(keepBytes: number): void {
    this.length = 0
    if (this.u8.length > keepBytes) this.detach()
  }

  text(text: Text): void {
    this.reserve(text.length)
    const words = text.words
    for (let i = 0, at = this.length; i < words.length; i++, at += 4) this.view.setInt32(at, words[i])
    this.length += text.length
  }

  byte(byte: number): void {
    this.reserve(1)
    this.u8[this.length++] = byte
  }

  /** Two bytes, as one big-endian number. */
  pair(pair: number): void {
    this.reserve(2)
    this.view.setUint16(this.length, pair)
    this.length += 2
  }

  crlf(): void {
    this.pair((CR << 8) | LF)
  }

  copy(source: ByteSource, start: number, length: number): void {
    this.reserve(length)
    const at = this.length
    this.length += length
    if (length > LONG_COPY) {
      this.u8.set(source.u8.subarray(start, start + length), at)
      return
    }
    let i = 0
    for (; i + 4 <= length; i += 4) this.view.setInt32(at + i, source.view.getInt32(start + i))
    for (; i < length; i++) this.u8[at + i] = source.u8[start + i]
  }

  /** For rare replies only: makes garbage. */
  string(text: string): void {
    const bytes = ascii(text)
    this.reserve(bytes.length)
    this.u8.set(bytes, this.length)
    this.length += bytes.length
  }

  /** A non-negative integer below 2^53, in decimal. */
  number(value: number): void {
    this.reserve(20)
    if (value < 10) {
      this.u8[this.length++] = 48 + value
      return
    }
    let digits = 2
    for (let limit = 100; value >= limit; limit *= 10) digits++
    let at = this.length + digits
    this.length = at
    // Below 2^31 the integer division is several times faster than the one on doubles.
    while (value > 0x7fffffff) {
      const rest = Math.floor(value / 10)
      this.u8[--at] = 48 + (value - rest * 10)
      value = rest
    }
    let small = value | 0
    for (; digits > 0 && small > 0; ) {
      const rest = (small / 10) | 0
      this.u8[--at] = 48 + (small - rest * 10)
      small = rest
    }
  }

  /** An unsigned 64-bit integer, in decimal. */
  bigint(value: bigint): void {
    if (value <= 9_007_199_254_740_991n) {
      this.number(Number(value))
      return
    }
    const high = value / 1_000_000_000_000n
    this.number(Number(high))
    let low = Number(value - high * 1_000_000_000_000n)
    this.reserve(12)
    for (let i = 11; i >= 0; i--) {
      const rest = Math.floor(low / 10)
      this.u8[this.length + i] = 48 + (low - rest * 10)
      low = rest
    }
    this.length += 12
  }
}
