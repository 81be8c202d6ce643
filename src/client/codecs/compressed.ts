import type { Codec } from '../codec.js'
import { type CompressionOptions, compressionOf, deflated, inflated } from './deflate.js'
import { unencodable } from './refusal.js'

/** In the flags beside the inner codec's: a bit that neither PHP's, Python's nor Java's clients use. */
const COMPRESSED = 1 << 15
const name = 'compressed()'

/**
 * What `inner` writes, in zlib's format where that is smaller; reads what `inner` alone has written, too. The work is done
 * at once, on the calling thread. Other clients cannot read it; `php()` compresses in PHP's own way.
 */
export function compressed<T>(inner: Codec<T>, options: CompressionOptions = {}): Codec<T> {
  const compression = compressionOf(options)
  return {
    encode(value) {
      const plain = inner.encode(value)
      if ((plain.flags & COMPRESSED) !== 0)
        throw unencodable(name, value, `values whose codec leaves flag ${COMPRESSED} alone`)
      const smaller = deflated(plain, compression)
      return smaller === undefined ? plain : { data: smaller.packed, flags: (plain.flags | COMPRESSED) >>> 0 }
    },
    decode(data, flags) {
      if ((flags & COMPRESSED) === 0) return inner.decode(data, flags)
      return inner.decode(inflated(name, data, flags, compression.maxBytes), (flags & ~COMPRESSED) >>> 0)
    },
  }
}
