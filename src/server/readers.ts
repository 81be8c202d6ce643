/** How an item becomes a reply, written while its stripe is locked: no copy of a value is made on the way. */
import { Flag, type Output, type Request, reply, writeReturnFlags } from '../protocol/index.js'
import { type ItemReader, type ItemView, sizeClassOf } from '../store/index.js'

/** Room for `VALUE `, three numbers and the line ends around a key and a value. */
const CLASSIC_FRAME = 64
/** Of a number, 64 bits unsigned. */
const DIGITS_MAX = 20
/** Room for a meta reply line: flags, numbers, an opaque, a key in base64. */
const META_FRAME = 640

/** `VALUE <key> <flags> <bytes> [<cas>]`. */
export class ValueReader implements ItemReader {
  readonly #out: Output
  readonly #request: Request
  withCas = false

  constructor(out: Output, request: Request) {
    this.#out = out
    this.#request = request
  }

  item(view: ItemView): void {
    const out = this.#out
    const request = this.#request
    const length = view.valueLength
    out.reserve(CLASSIC_FRAME + request.keyLength + length)
    out.text(reply.VALUE)
    out.copy(request.keySource, request.keyStart, request.keyLength)
    const { flags } = view
    if (flags === 0) out.text(reply.NO_FLAGS)
    else {
      out.byte(SPACE)
      out.number(flags)
      out.byte(SPACE)
    }
    out.number(length)
    if (this.withCas) {
      out.byte(SPACE)
      out.bigint(view.cas)
    }
    out.crlf()
    view.copyValue(out, out.length)
    out.length += length
    out.crlf()
  }
}

/** The value alone: `incr` and `decr`. A counter that shrank keeps its length, padded with spaces. */
export class NumberReader implements ItemReader {
  readonly #out: Output

  constructor(out: Output) {
    this.#out = out
  }

  item(view: ItemView): void {
    const out = this.#out
    out.reserve(view.valueLength)
    view.copyValue(out, out.length)
    out.length += trimmed(out.u8, out.length, view.valueLength)
    out.crlf()
  }
}

/** `HD <flags>`, or `VA <bytes> <flags>` and the value. */
export class MetaReader implements ItemReader {
  readonly #out: Output
  readonly #request: Request
  /** Whether this read gave the item a new life. */
  touched = false

  constructor(out: Output, request: Request) {
    this.#out = out
    this.#request = request
  }

  item(view: ItemView): void {
    const out = this.#out
    const { meta } = this.#request
    // With `C` the value is sent only if the client's copy is out of date.
    const current = meta.compareCas !== undefined && meta.compareCas === view.cas
    const withValue = meta.has(Flag.v) && !current
    out.reserve(META_FRAME + (withValue ? view.valueLength : 0))
    if (withValue) {
      out.text(reply.META_VALUE)
      out.number(view.valueLength)
    } else {
      out.text(reply.META_DONE)
    }
    writeReturnFlags(out, this.#request, view, this.touched)
    if (view.wonBefore) out.pair(SPACE_Z)
    if (view.stale) out.pair(SPACE_X)
    if (view.won) out.pair(SPACE_W)
    out.crlf()
    if (!withValue) return
    view.copyValue(out, out.length)
    out.length += view.valueLength
    out.crlf()
  }
}

/** `ma`: as `mg`, of a number without its padding, and nothing of winning. */
export class MetaNumberReader implements ItemReader {
  readonly #out: Output
  readonly #request: Request
  /** Whether this very request gave the number a new life. */
  touched = false

  constructor(out: Output, request: Request) {
    this.#out = out
    this.#request = request
  }

  item(view: ItemView): void {
    const out = this.#out
    if (!this.#request.meta.has(Flag.v)) {
      writeDone(out, this.#request, view, this.touched)
      return
    }
    // How long the number is must be said before it: it is read to behind where the reply will end.
    out.reserve(META_FRAME + DIGITS_MAX + view.valueLength)
    const at = out.length + META_FRAME + DIGITS_MAX
    view.copyValue(out, at)
    const length = trimmed(out.u8, at, view.valueLength)
    out.text(reply.META_VALUE)
    out.number(length)
    writeReturnFlags(out, this.#request, view, this.touched)
    out.crlf()
    out.copy(out, at, length)
    out.crlf()
  }
}

/** `ms`: the return flags of what was just stored. */
export class MetaStoredReader implements ItemReader {
  readonly #out: Output
  readonly #request: Request

  constructor(out: Output, request: Request) {
    this.#out = out
    this.#request = request
  }

  item(view: ItemView): void {
    writeDone(this.#out, this.#request, view)
  }
}

/** `ME <key> exp= la= cas= fetch= cls= size=`. */
export class DebugReader implements ItemReader {
  readonly #out: Output
  readonly #request: Request

  constructor(out: Output, request: Request) {
    this.#out = out
    this.#request = request
  }

  item(view: ItemView): void {
    const { source, tokens } = this.#request
    const ttl = view.ttlMs < 0 ? -1 : Math.ceil(view.ttlMs / 1000)
    this.#out.string('ME ')
    this.#out.copy(source, tokens.start[1], tokens.length(1))
    this.#out.string(
      ` exp=${ttl} la=${view.idleSeconds} cas=${view.cas} fetch=${view.fetched ? 'yes' : 'no'} cls=${sizeClassOf(view.size)} size=${view.size}\r\n`,
    )
  }
}

const SPACE = 32
const SPACE_W = (SPACE << 8) | 87
const SPACE_X = (SPACE << 8) | 88
const SPACE_Z = (SPACE << 8) | 90

function trimmed(u8: Uint8Array, start: number, length: number): number {
  let end = length
  while (end > 0 && u8[start + end - 1] === SPACE) end--
  return end
}

/** `HD <flags>`. */
function writeDone(out: Output, request: Request, view: ItemView, touched = false): void {
  out.text(reply.META_DONE)
  writeReturnFlags(out, request, view, touched)
  out.crlf()
}
