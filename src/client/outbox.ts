/** Requests waiting to be written: text and small values side by side in one buffer, large values as they are. */

const PIECE = 256 * 1024
/** From here on a value is handed to the socket instead of being copied. */
const LARGE = 4 * 1024
/** Below this many chars a loop beats the call into native code. */
const SHORT = 24

const CR = 13
const LF = 10
const SPACE = 32
const DIGIT_0 = 48

export class Outbox {
  #buffer = Buffer.allocUnsafeSlow(PIECE)
  #start = 0
  #at = 0
  #ready: Uint8Array[] = []

  /** Chars below 256, a byte each. */
  text(text: string): void {
    this.#reserve(text.length)
    if (text.length > SHORT) {
      this.#at += this.#buffer.write(text, this.#at, 'latin1')
      return
    }
    for (let i = 0; i < text.length; i++) this.#buffer[this.#at++] = text.charCodeAt(i)
  }

  /** As `text`, after a space. */
  word(text: string): void {
    this.space()
    this.text(text)
  }

  space(): void {
    this.#reserve(1)
    this.#buffer[this.#at++] = SPACE
  }

  endLine(): void {
    this.#reserve(2)
    this.#buffer[this.#at++] = CR
    this.#buffer[this.#at++] = LF
  }

  /** A non-negative integer below 2^31. */
  number(value: number): void {
    this.#reserve(10)
    let digits = 1
    for (let limit = 10; value >= limit; limit *= 10) digits++
    let rest = value
    for (let at = this.#at + digits - 1; at >= this.#at; at--) {
      const next = (rest / 10) | 0
      this.#buffer[at] = DIGIT_0 + rest - next * 10
      rest = next
    }
    this.#at += digits
  }

  /** `length` is the value's number of bytes, of text as UTF-8. */
  value(value: string | Uint8Array, length: number): void {
    if (typeof value === 'string') {
      this.#reserve(length)
      this.#at += this.#buffer.write(value, this.#at, 'utf8')
    } else if (length < LARGE) {
      this.#reserve(length)
      this.#buffer.set(value, this.#at)
      this.#at += length
    } else {
      this.#cut()
      this.#ready.push(value)
    }
  }

  /**
   * Everything, in order, for the socket; the outbox is empty then. The pieces must stay untouched until they are
   * written: `reuse` says that they are. Throws when a value's memory was given away: its length has been sent already.
   */
  take(): Uint8Array[] {
    this.#cut()
    const ready = this.#ready
    this.#ready = []
    for (const piece of ready) if (piece.length === 0) throw new Error('the bytes of a value were given away')
    return ready
  }

  /** What was taken last has left for the kernel. */
  reuse(): void {
    this.#start = this.#at = 0
  }

  #cut(): void {
    if (this.#at === this.#start) return
    this.#ready.push(this.#buffer.subarray(this.#start, this.#at))
    this.#start = this.#at
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    this.#cut()
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(PIECE, bytes))
    this.#start = this.#at = 0
  }
}
