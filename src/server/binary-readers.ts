/** How an item becomes a response of the binary protocol, written while its stripe is locked. */
import { binary, type Output, parseU64, SPACE } from '../protocol/index.js'
import type { ItemReader, ItemView } from '../store/index.js'

const { Ok } = binary.BinaryStatus

const FLAGS_BYTES = 4
const NUMBER_BYTES = 8

/** Header, flags, perhaps the key, the value: get and gat. */
export class BinaryValueReader implements ItemReader {
  readonly #out: Output
  readonly #frame: binary.Frame

  constructor(out: Output, frame: binary.Frame) {
    this.#out = out
    this.#frame = frame
  }

  item(view: ItemView): void {
    const out = this.#out
    const frame = this.#frame
    const keyLength = frame.shape.withKey ? frame.keyLength : 0
    const { valueLength } = view
    const casAt = binary.writeHeader(out, frame, Ok, FLAGS_BYTES, keyLength, FLAGS_BYTES + keyLength + valueLength)
    view.copyCas(out, casAt)
    writeFlags(out, view)
    if (keyLength > 0) out.copy(frame.source, frame.keyStart, keyLength)
    view.copyValue(out, out.length)
    out.length += valueLength
  }
}

/** Header and flags: touch. */
export class BinaryTouchReader implements ItemReader {
  readonly #out: Output
  readonly #frame: binary.Frame

  constructor(out: Output, frame: binary.Frame) {
    this.#out = out
    this.#frame = frame
  }

  item(view: ItemView): void {
    const casAt = binary.writeHeader(this.#out, this.#frame, Ok, FLAGS_BYTES, 0, FLAGS_BYTES)
    view.copyCas(this.#out, casAt)
    writeFlags(this.#out, view)
  }
}

function writeFlags(out: Output, view: ItemView): void {
  out.view.setInt32(out.length, view.flags)
  out.length += FLAGS_BYTES
}

/** Header alone, with the token: what was stored. */
export class BinaryStoredReader implements ItemReader {
  readonly #out: Output
  readonly #frame: binary.Frame

  constructor(out: Output, frame: binary.Frame) {
    this.#out = out
    this.#frame = frame
  }

  item(view: ItemView): void {
    view.copyCas(this.#out, binary.writeHeader(this.#out, this.#frame, Ok, 0, 0, 0))
  }
}

/** The number in 8 bytes, which the item holds as text: increment and decrement. */
export class BinaryNumberReader implements ItemReader {
  readonly #out: Output
  readonly #frame: binary.Frame

  constructor(out: Output, frame: binary.Frame) {
    this.#out = out
    this.#frame = frame
  }

  item(view: ItemView): void {
    const out = this.#out
    const casAt = binary.writeHeader(out, this.#frame, Ok, 0, 0, NUMBER_BYTES)
    view.copyCas(out, casAt)
    // The text is read to behind where the response will end.
    out.reserve(NUMBER_BYTES + view.valueLength)
    const text = out.length + NUMBER_BYTES
    view.copyValue(out, text)
    let end = text + view.valueLength
    while (end > text && out.u8[end - 1] === SPACE) end--
    out.view.setBigUint64(out.length, parseU64(out.u8, text, end) ?? 0n)
    out.length += NUMBER_BYTES
  }
}
