/**
 * One request of the binary protocol, as offsets into the bytes that were read. The format is that of memcached's
 * protocol_binary.h and of https://docs.memcached.org/protocols/binary/; all numbers are big-endian.
 *
 *    0 magic     1 opcode    2 key length            request 0x80, response 0x81
 *    4 extras    5 data type 6 vbucket, or status    the length of the extras; data type and vbucket say nothing here
 *    8 body length                                   of extras, key and value together
 *   12 opaque                                        comes back as it was sent
 *   16 CAS                                           8 bytes; 0 is none
 *   24 extras, key, value
 */
import { type ByteSource, byteSource } from '../bytes.js'
import { MAX_KEY } from '../request.js'
import { isShaped, SHAPES, type Shape } from './shape.js'
import { BinaryStatus } from './status.js'

export const REQUEST_MAGIC = 0x80
export const HEADER_BYTES = 24

export const Framed = {
  /** Come back with more bytes. */
  Incomplete: 0,
  /** The frame is filled in, and well shaped. Its value, if it has one, may still be on its way. */
  Ready: 1,
  /** Answer `status`, and close. */
  Refused: 2,
  /** No such command: say so, and drop `bodyLength` bytes behind the header. */
  Unknown: 3,
  /** Close the connection without a word. */
  Close: 4,
} as const
export type Framed = (typeof Framed)[keyof typeof Framed]

/** Of a value. memcached takes a longer one for a negative one, and is out of step from there on. */
const VALUE_MAX = 2 ** 31 - 1

/** Bytes behind a header. */
const WAITED_FOR_MAX = 2048

const NO_SHAPE = SHAPES[0] as Shape

/** A thread reuses one instance. */
export class Frame {
  source: ByteSource = byteSource(new Uint8Array(0))
  /** Offset of the header. */
  start = 0
  /** As sent: replies have the same. */
  opcode = 0
  shape: Shape = NO_SHAPE
  extrasLength = 0
  keyLength = 0
  /** Of extras, key and value. */
  bodyLength = 0
  valueLength = 0
  /** 32 bits, to be echoed. */
  opaque = 0
  status: BinaryStatus = BinaryStatus.Ok

  get extrasStart(): number {
    return this.start + HEADER_BYTES
  }

  get keyStart(): number {
    return this.start + HEADER_BYTES + this.extrasLength
  }

  get valueStart(): number {
    return this.keyStart + this.keyLength
  }

  /** Offset of the next frame. */
  get end(): number {
    return this.start + HEADER_BYTES + this.bodyLength
  }

  /** Undefined when none was sent. */
  get cas(): bigint | undefined {
    const { view } = this.source
    const at = this.start + 16
    return (view.getInt32(at) | view.getInt32(at + 4)) === 0 ? undefined : view.getBigUint64(at)
  }

  /** Of the extras, 32 bits unsigned. */
  u32(offset: number): number {
    return this.source.view.getUint32(this.extrasStart + offset)
  }

  /** Of the extras, 64 bits unsigned. */
  u64(offset: number): bigint {
    return this.source.view.getBigUint64(this.extrasStart + offset)
  }
}

/** Reads the frame that starts at `start`. Bytes from `end` on do not count. */
export function parseFrame(frame: Frame, source: ByteSource, start: number, end: number): Framed {
  if (source.u8[start] !== REQUEST_MAGIC) return Framed.Close
  if (end - start < HEADER_BYTES) return Framed.Incomplete
  readHeader(frame, source, start)
  if (frame.valueLength < 0) return refuse(frame, BinaryStatus.UnknownCommand, end)
  if (frame.keyLength > MAX_KEY) return refuse(frame, BinaryStatus.Invalid, end)
  const shape = SHAPES[frame.opcode]
  if (shape === undefined) return Framed.Unknown
  frame.shape = shape
  if (!isShaped(frame, shape)) return refuse(frame, BinaryStatus.Invalid, end)
  if (frame.valueLength > VALUE_MAX) return refuse(frame, BinaryStatus.TooLarge, end)
  return frame.valueStart <= end ? Framed.Ready : Framed.Incomplete
}

function readHeader(frame: Frame, source: ByteSource, start: number): void {
  const { u8, view } = source
  frame.source = source
  frame.start = start
  frame.opcode = u8[start + 1]
  frame.keyLength = view.getUint16(start + 2)
  frame.extrasLength = u8[start + 4]
  frame.bodyLength = view.getUint32(start + 8)
  frame.opaque = view.getInt32(start + 12)
  frame.valueLength = frame.bodyLength - frame.keyLength - frame.extrasLength
}

/** A short frame is refused when all of it has come: who is hung up on while sending may never read the answer. */
function refuse(frame: Frame, status: BinaryStatus, end: number): Framed {
  const rest = Math.max(frame.bodyLength, frame.extrasLength + frame.keyLength)
  if (rest <= WAITED_FOR_MAX && frame.start + HEADER_BYTES + rest > end) return Framed.Incomplete
  frame.status = status
  return Framed.Refused
}
