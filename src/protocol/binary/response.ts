/** Responses of the binary protocol. The layout is drawn in `frame.ts`. */
import { ascii } from '../bytes.js'
import type { Output } from '../output.js'
import type { Frame } from './frame.js'
import { HEADER_BYTES } from './frame.js'
import { BinaryStatus, STATUS_TEXTS } from './status.js'

/** What a response repeats of its request. */
export type Echo = Pick<Frame, 'opcode' | 'opaque'>

const RESPONSE_MAGIC = 0x81
const CAS_AT = 16

/** The header, with no CAS token; makes room for the body. Where the token goes, 8 bytes. */
export function writeHeader(
  out: Output,
  { opcode, opaque }: Echo,
  status: BinaryStatus,
  extrasLength: number,
  keyLength: number,
  bodyLength: number,
): number {
  out.reserve(HEADER_BYTES + bodyLength)
  const { view, length: at } = out
  view.setInt32(at, (RESPONSE_MAGIC << 24) | (opcode << 16) | keyLength)
  view.setInt32(at + 4, (extrasLength << 24) | status)
  view.setInt32(at + 8, bodyLength)
  view.setInt32(at + 12, opaque)
  view.setInt32(at + CAS_AT, 0)
  view.setInt32(at + CAS_AT + 4, 0)
  out.length = at + HEADER_BYTES
  return at + CAS_AT
}

/** A response that says nothing but how it went. */
export function writeStatus(out: Output, echo: Echo, status: BinaryStatus): void {
  const text = STATUS_TEXTS[status]
  writeHeader(out, echo, status, 0, 0, text === undefined ? 0 : text.length)
  if (text !== undefined) out.text(text)
}

/** For rare responses only: makes garbage. */
export function writeStrings(out: Output, echo: Echo, status: BinaryStatus, key: string, value: string): void {
  const keyLength = ascii(key).length
  writeHeader(out, echo, status, 0, keyLength, keyLength + ascii(value).length)
  out.string(key + value)
}

export function writeSuccess(out: Output, echo: Echo): void {
  writeHeader(out, echo, BinaryStatus.Ok, 0, 0, 0)
}
