import type { Codec } from '../codec.js'
export function text(): Codec<string> {
  return { encode: (data) => ({ data, flags: 0 }), decode: (data) => data.toString('utf8') }
}
export function bytes(): Codec<Uint8Array> {
  return { encode: (data) => ({ data, flags: 0 }), decode: (data) => Buffer.from(data) }
}
