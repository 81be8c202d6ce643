/** Frames of the binary protocol for tests: requests out, also wrong ones, and responses in. */
import type { Wire } from './wire.js'

/** By name, as the protocol's description has them. */
export const opcodes: Readonly<Record<string, number>> = {
  get: 0x00,
  set: 0x01,
  add: 0x02,
  replace: 0x03,
  delete: 0x04,
  incr: 0x05,
  decr: 0x06,
  quit: 0x07,
  flush: 0x08,
  getq: 0x09,
  noop: 0x0a,
  version: 0x0b,
  getk: 0x0c,
  getkq: 0x0d,
  append: 0x0e,
  prepend: 0x0f,
  stat: 0x10,
  setq: 0x11,
  addq: 0x12,
  replaceq: 0x13,
  deleteq: 0x14,
  incrq: 0x15,
  decrq: 0x16,
  quitq: 0x17,
  flushq: 0x18,
  appendq: 0x19,
  prependq: 0x1a,
  verbosity: 0x1b,
  touch: 0x1c,
  gat: 0x1d,
  gatq: 0x1e,
  sasl_list: 0x20,
  sasl_auth: 0x21,
  sasl_step: 0x22,
  gatk: 0x23,
  gatkq: 0x24,
}

export interface RequestParts {
  opcode: number
  key?: string
  extras?: Buffer
  value?: string
  cas?: bigint
  opaque?: number
  magic?: number
  dataType?: number
  vbucket?: number
  /** Lengths as the header tells them, if not as they are. */
  keyLength?: number
  extrasLength?: number
  bodyLength?: number
}

const HEADER = 24

/** Strings are latin1, one character a byte. */
export function request(parts: RequestParts): Buffer {
  const { key = '', extras = Buffer.alloc(0), value = '' } = parts
  const frame = Buffer.alloc(HEADER)
  frame[0] = parts.magic ?? 0x80
  frame[1] = parts.opcode
  frame.writeUInt16BE(parts.keyLength ?? key.length, 2)
  frame[4] = parts.extrasLength ?? extras.length
  frame[5] = parts.dataType ?? 0
  frame.writeUInt16BE(parts.vbucket ?? 0, 6)
  frame.writeUInt32BE(parts.bodyLength ?? extras.length + key.length + value.length, 8)
  frame.writeUInt32BE(parts.opaque ?? 0, 12)
  frame.writeBigUInt64BE(parts.cas ?? 0n, 16)
  return Buffer.concat([frame, extras, Buffer.from(key, 'latin1'), Buffer.from(value, 'latin1')])
}

/** The extras of a command: numbers of 32 bits, and of 64 where they are bigints. */
export function extras(...numbers: (number | bigint)[]): Buffer {
  return Buffer.concat(
    numbers.map((number) => {
      const bytes = Buffer.alloc(typeof number === 'bigint' ? 8 : 4)
      if (typeof number === 'bigint') bytes.writeBigUInt64BE(number)
      else bytes.writeUInt32BE(number)
      return bytes
    }),
  )
}

/** `set`, in short. */
export function set(key: string, value: string, opcode = opcodes.set): Buffer {
  return request({ opcode, key, value, extras: extras(0, 0) })
}

export interface Response {
  opcode: number
  status: number
  extras: Buffer
  key: string
  value: string
  opaque: number
  cas: bigint
}

/** The next response; undefined when the other side closes instead, or says nothing. */
export async function takeResponse(wire: Wire): Promise<Response | undefined> {
  const header = await wire.take(HEADER)
  if (header.length < HEADER) {
    if (header.length > 0) throw new Error(`half a response: ${header.toString('hex')}`)
    return undefined
  }
  if (header[0] !== 0x81) throw new Error(`no response: ${header.toString('latin1')}`)
  const body = await wire.take(header.readUInt32BE(8))
  const keyStart = header[4]
  const valueStart = keyStart + header.readUInt16BE(2)
  return {
    opcode: header[1],
    status: header.readUInt16BE(6),
    extras: body.subarray(0, keyStart),
    key: body.toString('latin1', keyStart, valueStart),
    value: body.toString('latin1', valueStart),
    opaque: header.readUInt32BE(12),
    cas: header.readBigUInt64BE(16),
  }
}
