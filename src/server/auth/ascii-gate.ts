/**
 * What a text client can say before it has authenticated: `set <any key> <any> <any> <bytes>\r\n<user> <password>\r\n`, and
 * nothing else, as with memcached's `-Y`. What it may keep us busy with is bounded: a line, a short data block, and so
 * many refusals.
 */
import { CR, LF, MAX_LINE, reply, type Text } from '../../protocol/index.js'
import type { Bytes } from '../../store/index.js'
import type { WorkerContext } from '../context.js'
import type { Dialect, Flow } from '../dialect.js'
import { Metric } from '../metrics.js'
import { TextDialect } from '../text-dialect.js'

/** No account is longer than 254 bytes. */
const TOKEN_MAX = 2048
/** More tries than this look for a password, and more commands never read the replies. */
const REFUSALS_MAX = 100
/** Where `<bytes>` stands in the line. */
const LENGTH_WORD = 4

const SPACE = 32

const decoder = new TextDecoder('latin1')

export class AsciiGate implements Dialect {
  needed = 0
  readonly #context: WorkerContext
  readonly #flow: Flow
  #refusals = 0
  #open = false
  #closed = false

  constructor(context: WorkerContext, flow: Flow) {
    this.#context = context
    this.#flow = flow
  }

  answer({ u8 }: Bytes, start: number, end: number): number {
    this.needed = 0
    let at = start
    while (at < end && !this.#open && !this.#closed && this.#flow.mayAnswer()) {
      const next = this.#try(u8, at, end)
      if (next < 0) break
      at = next
    }
    return at
  }

  sent(): void {}

  /** The offset behind the request at `at`, or −1 when it is not all there. */
  #try(u8: Uint8Array, at: number, end: number): number {
    const newline = u8.subarray(at, end).indexOf(LF)
    if (newline < 0) {
      if (end - at > MAX_LINE) this.#close()
      return -1
    }
    const data = at + newline + 1
    const length = tokenLength(decoder.decode(u8.subarray(at, data)))
    if (length === undefined) return this.#refuse(reply.UNAUTHENTICATED, data)
    if (length > TOKEN_MAX) {
      // Where the next request begins nobody knows.
      this.#close()
      return this.#refuse(reply.TOKEN_TOO_LONG, data)
    }
    const dataEnd = data + length
    if (dataEnd + 2 <= end) return this.#check(u8, data, dataEnd)
    this.needed = dataEnd + 2 - at
    return -1
  }

  #check(u8: Uint8Array, data: number, dataEnd: number): number {
    const next = dataEnd + 2
    if (u8[dataEnd] !== CR || u8[dataEnd + 1] !== LF) return this.#refuse(reply.BAD_TERMINATION, next)
    const token = u8.subarray(data, dataEnd)
    const space = token.indexOf(SPACE)
    if (space < 0) return this.#refuse(reply.BAD_TOKEN_FORMAT, next)
    if (!this.#knows(token.subarray(0, space), token.subarray(space + 1))) return this.#refuse(reply.AUTH_FAILED, next)
    this.#open = true
    this.#context.out.text(reply.STORED)
    this.#flow.speak(new TextDialect(this.#context, this.#flow))
    return next
  }

  #knows(user: Uint8Array, password: Uint8Array): boolean {
    const { credentials, metrics } = this.#context
    const known = credentials?.check(user, password) === true
    metrics.add(Metric.AuthCmds, 1)
    if (!known) metrics.add(Metric.AuthErrors, 1)
    return known
  }

  #refuse(text: Text, next: number): number {
    this.#context.out.text(text)
    if (++this.#refusals >= REFUSALS_MAX) this.#close()
    return next
  }

  #close(): void {
    this.#closed = true
    this.#flow.close()
  }
}

/** Of the data block behind this line; `undefined` when the line is no `set`. */
function tokenLength(line: string): number | undefined {
  const words = line
    .replace(/\r?\n$/, '')
    .split(' ')
    .filter(Boolean)
  const length = words[LENGTH_WORD]
  if (words[0] !== 'set' || length === undefined || !/^\d{1,10}$/.test(length)) return undefined
  return Number(length)
}
