/** Replies out of a stream of bytes that may be cut anywhere. Keeps what is incomplete until the rest arrives. */
import { CR, LF, SPACE } from './bytes.js'
import { parseLength, parseU32 } from './numbers.js'
import { NO_OPAQUE, Reply, Status } from './reply.js'

/** The longest reply line that is waited for; memcached's own are below 2 KiB. */
const LINE_MAX = 16 * 1024
/** The largest item a server may be configured for. */
const VALUE_MAX = 1024 * 1024 * 1024
/** Up to this size an incomplete value waits with its line; beyond, it gets a buffer of its own at once. */
const SMALL = 1024
const LINE_END = 2
/** What a line of a list of keys begins with. */
const DUMPED = 'key='

/** Thrown for bytes that are no reply. What follows them in the stream means nothing any more. */
export class ReplyError extends Error {}

const twoLetters: Record<string, Status> = {
  HD: Status.Done,
  VA: Status.Value,
  EN: Status.Miss,
  NS: Status.NotStored,
  EX: Status.Exists,
  NF: Status.NotFound,
  MN: Status.Noop,
  ME: Status.Debug,
  OK: Status.Ok,
}
const statusOfPair = new Uint8Array(65_536)
for (const [word, status] of Object.entries(twoLetters)) {
  statusOfPair[(word.charCodeAt(0) << 8) | word.charCodeAt(1)] = status
}

const statusOfWord = new Map<string, Status>([
  ['VALUE', Status.ClassicValue],
  ['END', Status.End],
  ['STORED', Status.Stored],
  ['NOT_STORED', Status.ClassicNotStored],
  ['EXISTS', Status.ClassicExists],
  ['NOT_FOUND', Status.ClassicNotFound],
  ['DELETED', Status.Deleted],
  ['TOUCHED', Status.Touched],
  ['RESET', Status.Reset],
  ['VERSION', Status.Version],
  ['STAT', Status.Stat],
  ['ERROR', Status.Error],
  ['CLIENT_ERROR', Status.ClientError],
  ['SERVER_ERROR', Status.ServerError],
  // `SERVER_ERROR: shutdown not enabled` has its colon there.
  ['SERVER_ERROR:', Status.ServerError],
  // Of lru_crawler.
  ['BUSY', Status.ServerError],
  ['BADCLASS', Status.ClientError],
])

const SMALL_F = 102
const SMALL_C = 99
const LARGE_O = 79
const LARGE_X = 88
const LARGE_Z = 90
const DIGIT_0 = 48
const DIGIT_9 = 57

export class ReplyParser {
  readonly #reply = new Reply()
  /** The beginning of a reply whose end has not come. */
  #carry: Buffer | undefined
  /** A value too large to wait in `#carry`. */
  #large: Buffer | undefined
  /** Bytes of it that are there, and then of the line end behind it. */
  #filled = 0

  /**
   * Hands every reply that `chunk` completes to `take`, in order. The chunk may be reused afterwards.
   * Throws `ReplyError`, and whatever `take` throws; then the parser is of no more use.
   */
  feed(chunk: Buffer, take: (reply: Reply) => void): void {
    let at = 0
    if (this.#large !== undefined) {
      at = this.#fill(this.#large, chunk, 0)
      if (this.#filled < this.#large.length + LINE_END) return
      this.#large = undefined
      take(this.#reply)
    } else if (this.#carry !== undefined) {
      chunk = Buffer.concat([this.#carry, chunk])
      this.#carry = undefined
    }
    while (at < chunk.length) {
      const next = this.#one(chunk, at)
      if (next < 0) return
      take(this.#reply)
      at = next
    }
  }

  /** Reads the reply at `at` and returns where it ends, or −1 when its end has not come yet. */
  #one(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(LF, at)
    if (end < 0) {
      if (chunk.length - at > LINE_MAX) throw new ReplyError('a reply line without an end')
      this.#carry = Buffer.from(chunk.subarray(at))
      return -1
    }
    if (end === at || chunk[end - 1] !== CR) return this.#bareLine(chunk, at, end)
    const length = this.#line(chunk, at, end - 1)
    if (length < 0) return end + 1
    return this.#value(chunk, at, end + 1, length)
  }

  /** Lines of a list of keys are the only ones that end without a carriage return. */
  #bareLine(chunk: Buffer, start: number, end: number): number {
    if (chunk.toString('latin1', start, Math.min(end, start + DUMPED.length)) !== DUMPED)
      throw new ReplyError('a reply line does not end in \\r\\n')
    this.#start(chunk, end)
    this.#reply.status = Status.Dumped
    this.#reply.rest = start + DUMPED.length
    return end + 1
  }

  /** The value behind a line that promised `length` bytes. */
  #value(chunk: Buffer, lineStart: number, start: number, length: number): number {
    const reply = this.#reply
    const end = start + length
    if (end + LINE_END <= chunk.length) {
      checkLineEnd(chunk[end], 0)
      checkLineEnd(chunk[end + 1], 1)
      reply.valueStart = start
      reply.valueEnd = end
      return end + LINE_END
    }
    if (length <= SMALL) {
      this.#carry = Buffer.from(chunk.subarray(lineStart))
      return -1
    }
    if (length > VALUE_MAX) throw new ReplyError(`a value of ${length} bytes`)
    this.#large = Buffer.allocUnsafeSlow(length)
    this.#filled = 0
    reply.data = this.#large
    reply.valueEnd = length
    this.#fill(this.#large, chunk, start)
    // The chunk will be gone when the value is complete.
    this.#shiftLine(Buffer.from(chunk.subarray(lineStart, start)), lineStart)
    return -1
  }

  #shiftLine(line: Buffer, by: number): void {
    const reply = this.#reply
    reply.line = line
    reply.rest -= by
    reply.end -= by
    if (reply.casStart !== 0) {
      reply.casStart -= by
      reply.casEnd -= by
    }
  }

  /** Moves the value on with what stands in the chunk from `at` on. Returns where that ends. */
  #fill(large: Buffer, chunk: Buffer, at: number): number {
    if (this.#filled < large.length) {
      const copied = chunk.copy(large, this.#filled, at)
      this.#filled += copied
      at += copied
    }
    while (at < chunk.length && this.#filled >= large.length && this.#filled < large.length + LINE_END) {
      checkLineEnd(chunk[at++], this.#filled++ - large.length)
    }
    return at
  }

  /** The line from `start` to `end`. Returns the length of the value that follows, or −1 for none. */
  #line(chunk: Buffer, start: number, end: number): number {
    const reply = this.#start(chunk, end)
    if (end - start === 2 || (end - start > 2 && chunk[start + 2] === SPACE)) {
      const status = statusOfPair[(chunk[start] << 8) | chunk[start + 1]] as Status
      if (status !== (0 as number)) {
        reply.status = status
        reply.rest = Math.min(start + 3, end)
        if (status === Status.Value) return this.#metaValue(chunk, reply.rest, end)
        if (status < Status.Noop) this.#metaFlags(chunk, reply.rest, end)
        return -1
      }
    }
    return this.#classicLine(chunk, start, end)
  }

  #start(chunk: Buffer, end: number): Reply {
    const reply = this.#reply
    reply.line = reply.data = chunk
    reply.end = end
    reply.opaque = NO_OPAQUE
    reply.flags = 0
    reply.stale = reply.lost = false
    reply.casStart = reply.casEnd = 0
    reply.valueStart = reply.valueEnd = 0
    return reply
  }

  #metaValue(chunk: Buffer, start: number, end: number): number {
    const at = wordEnd(chunk, start, end)
    const length = parseLength(chunk, start, at)
    if (length < 0) throw new ReplyError('a VA reply without a length')
    this.#reply.rest = Math.min(at + 1, end)
    this.#metaFlags(chunk, this.#reply.rest, end)
    return length
  }

  #metaFlags(chunk: Buffer, start: number, end: number): void {
    const reply = this.#reply
    for (let at = start; at < end; ) {
      const flag = chunk[at]
      const last = wordEnd(chunk, at, end)
      if (flag === LARGE_O) reply.opaque = this.#number(chunk, at + 1, last)
      else if (flag === SMALL_F) reply.flags = this.#number(chunk, at + 1, last)
      else if (flag === SMALL_C) {
        reply.casStart = at + 1
        reply.casEnd = last
      } else if (flag === LARGE_X) reply.stale = true
      else if (flag === LARGE_Z) reply.lost = true
      at = last + 1
    }
  }

  #number(chunk: Buffer, start: number, end: number): number {
    const value = parseU32(chunk, start, end)
    if (value < 0) throw new ReplyError('a reply flag without its number')
    return value
  }

  #classicLine(chunk: Buffer, start: number, end: number): number {
    const reply = this.#reply
    if (chunk[start] >= DIGIT_0 && chunk[start] <= DIGIT_9) {
      reply.status = Status.Number
      reply.rest = start
      return -1
    }
    const at = wordEnd(chunk, start, end)
    const status = statusOfWord.get(chunk.toString('latin1', start, at))
    if (status === undefined) throw new ReplyError(`no reply begins with ${JSON.stringify(snippet(chunk, start, end))}`)
    reply.status = status
    reply.rest = Math.min(at + 1, end)
    return status === Status.ClassicValue ? this.#classicValue(chunk, reply.rest, end) : -1
  }

  /** `<key> <flags> <bytes> [<cas>]` */
  #classicValue(chunk: Buffer, start: number, end: number): number {
    const reply = this.#reply
    const flagsStart = wordEnd(chunk, start, end) + 1
    const lengthStart = wordEnd(chunk, flagsStart, end) + 1
    const lengthEnd = wordEnd(chunk, lengthStart, end)
    reply.flags = parseU32(chunk, flagsStart, lengthStart - 1)
    const length = parseLength(chunk, lengthStart, lengthEnd)
    if (reply.flags < 0 || length < 0) throw new ReplyError('a VALUE reply without flags and a length')
    if (lengthEnd < end) {
      reply.casStart = lengthEnd + 1
      reply.casEnd = end
    }
    // What is left as the rest is the key.
    reply.end = flagsStart - 1
    return length
  }
}

function checkLineEnd(byte: number, index: number): void {
  if (byte !== (index === 0 ? CR : LF)) throw new ReplyError('a value is longer than it was said to be')
}

function wordEnd(chunk: Buffer, at: number, end: number): number {
  while (at < end && chunk[at] !== SPACE) at++
  return at
}

function snippet(chunk: Buffer, start: number, end: number): string {
  return chunk.toString('latin1', start, Math.min(end, start + 40))
}
