import { types } from 'node:util'
import type { Codec } from '../codec.js'
import { foreignFlags, unencodable } from './refusal.js'

/** Bytes as they are, with flags 0. What comes out is the caller's own. */
export function bytes(): Codec<Uint8Array> & { decode(data: Buffer, flags: number): Buffer } {
  return {
    encode(value) {
      if (!types.isUint8Array(value)) throw unencodable('bytes()', value, 'a Uint8Array')
      return { data: value, flags: 0 }
    },
    decode(data, flags) {
      if (flags !== 0) throw foreignFlags('bytes()', flags)
      return owned(data)
    },
  }
}

/** Bytes that stay: a copy, unless the view has its memory to itself. */
export function owned(data: Buffer): Buffer {
  return data.byteLength === data.buffer.byteLength ? data : Buffer.from(data)
}
