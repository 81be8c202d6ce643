/** The words of one command line, as offsets. A line's end and its words are found in one pass. */
import { CR, LF, SPACE } from './bytes.js'

/** More words than this are not told apart; only `get` takes more, and walks its line itself. */
const CAPACITY = 256

export class Tokens {
  count = 0
  readonly start = new Uint32Array(CAPACITY)
  readonly end = new Uint32Array(CAPACITY)
  /** Where the line's text ends, before `\r\n` or `\n`. */
  lineEnd = 0

  /** Splits the line that starts at `from`. The offset after its newline, or −1 when there is none before `to`. */
  split(u8: Uint8Array, from: number, to: number): number {
    let count = 0
    let wordStart = from
    let at = from
    for (; at < to; at++) {
      const byte = u8[at]
      if (byte > SPACE) continue
      if (byte === SPACE) {
        if (at > wordStart && count < CAPACITY) {
          this.start[count] = wordStart
          this.end[count++] = at
        }
        wordStart = at + 1
      } else if (byte === LF) {
        const lineEnd = at > from && u8[at - 1] === CR ? at - 1 : at
        if (lineEnd > wordStart && count < CAPACITY) {
          this.start[count] = wordStart
          this.end[count++] = lineEnd
        }
        this.lineEnd = lineEnd
        this.count = count
        return at + 1
      }
    }
    return -1
  }

  length(index: number): number {
    return this.end[index] - this.start[index]
  }
}
