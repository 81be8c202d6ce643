/**
 * Bytes of one connection that arrived and wait: an unfinished request, or requests behind a client that does not
 * read. It grows with what arrives, never with what a length announces.
 */
import { Bytes } from '../store/index.js'

const SMALLEST = 256
/** An empty backlog keeps this much at most; a thousand idle connections must not hold a thousand values. */
const KEPT_BYTES = 4096

export class Backlog {
  bytes = EMPTY
  length = 0

  append(u8: Uint8Array, start: number, end: number): void {
    const length = this.length + end - start
    if (length > this.bytes.u8.length) this.#grow(length)
    this.bytes.u8.set(u8.subarray(start, end), this.length)
    this.length = length
  }

  #grow(length: number): void {
    const grown = Bytes.allocate(Math.max(SMALLEST, length, this.bytes.u8.length * 2))
    grown.u8.set(this.bytes.u8.subarray(0, this.length))
    this.bytes = grown
  }

  /** Forgets the first `count` bytes. */
  consume(count: number): void {
    if (count >= this.length) {
      this.length = 0
      if (this.bytes.u8.length > KEPT_BYTES) this.bytes = EMPTY
      return
    }
    if (count === 0) return
    this.bytes.u8.copyWithin(0, count, this.length)
    this.length -= count
  }
}

const EMPTY = Bytes.allocate(0)
