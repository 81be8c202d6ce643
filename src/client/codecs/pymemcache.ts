import { types } from 'node:util'
import type { Codec, Encoded } from '../codec.js'
import { owned } from './bytes.js'
import { inflated, MAX_INFLATED } from './deflate.js'
import { digitsOf, integerOf } from './integers.js'
import { foreignFlags, unencodable } from './refusal.js'
import { sendable, textOf } from './utf8.js'

/** `str`, `int` and `bytes`. A whole number beyond 2^53 is a bigint; bytes that were read are a Buffer. */
export type PythonValue = string | number | bigint | Uint8Array

/** The flags of python-memcached, which pymemcache and pylibmc have taken over (pymemcache's `serde.py`). */
const Flag = { bytes: 0, pickle: 1, integer: 2, long: 4, compressed: 8, text: 16 } as const
const name = 'pymemcache()'

/**
 * What Python's clients write and read: pymemcache with `serde=pickle_serde`, python-memcached, pylibmc. Reads their zlib
 * compression, and never writes it, since not all of them have it switched on. Pickles are a `CodecError`, as are
 * numbers that are not whole: Python pickles a float.
 */
export function pymemcache(): Codec<PythonValue> {
  return { encode, decode }
}

function encode(value: PythonValue): Encoded {
  if (typeof value === 'string') return { data: sendable(name, value), flags: Flag.text }
  if (types.isUint8Array(value)) return { data: value, flags: Flag.bytes }
  if (typeof value === 'number' || typeof value === 'bigint')
    return { data: digitsOf(name, value), flags: Flag.integer }
  throw unencodable(name, value, 'strings, whole numbers and Uint8Arrays')
}

function decode(data: Buffer, flags: number): PythonValue {
  const plain = (flags & Flag.compressed) === 0 ? data : inflated(name, data, flags, MAX_INFLATED)
  switch (flags & ~Flag.compressed) {
    case Flag.bytes:
      return owned(plain)
    case Flag.text:
      return textOf(name, plain, flags)
    case Flag.integer:
    case Flag.long:
      return integerOf(name, plain, flags)
    case Flag.pickle:
      throw foreignFlags(name, flags, 'a pickle, which only Python can read')
    default:
      throw foreignFlags(name, flags)
  }
}
