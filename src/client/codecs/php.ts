import { isUtf8 } from 'node:buffer'
import { types } from 'node:util'
import type { Codec, Encoded } from '../codec.js'
import { owned } from './bytes.js'
import { type CompressionOptions, compressionOf, deflated, inflated } from './deflate.js'
import { fastlz } from './fastlz.js'
import { digitsOf, integerOf } from './integers.js'
import { JSON_FLAGS, jsonOf, parsed } from './json.js'
import { foreignFlags, malformed, unencodable } from './refusal.js'
import { sendable } from './utf8.js'

/**
 * A Uint8Array is a PHP string, an array, object or null is JSON. A PHP string that was read is text if it is UTF-8, and a
 * Buffer if not; a whole number beyond 2^53 is a bigint.
 */
export type PhpValue = string | number | bigint | boolean | null | object

/** The low four bits of php-memcached's flags (`php_memcached.c`): the type. */
const Type = {
  string: 0,
  long: 1,
  double: 2,
  bool: 3,
  serialized: 4,
  igbinary: 5,
  json: JSON_FLAGS,
  msgpack: 7,
} as const
/** Above them: compressed, and how. The upper 16 bits are a program's own (`OPT_USER_FLAGS`). */
const Compressed = { any: 16, zlib: 16 | 32, fastlz: 16 | 64, mask: 0xf0 } as const
/** Before compressed bytes is the size of the plain ones. */
const prefixBytes = 4
const name = 'php()'

const serializers = new Map<number, string>([
  [Type.serialized, "serialized by PHP, which needs PHP's classes; set SERIALIZER_JSON there"],
  [Type.igbinary, 'serialized by igbinary; set SERIALIZER_JSON in PHP'],
  [Type.msgpack, 'serialized by msgpack; set SERIALIZER_JSON in PHP'],
])

/**
 * What PHP's `Memcached` (php-memcached) writes and reads: strings, integers, floats and booleans always, and arrays with
 * `OPT_SERIALIZER` set to `SERIALIZER_JSON`. What other serializers wrote, `OPT_USER_FLAGS`, and integers that 64 bits cannot
 * hold are a `CodecError`. Both of PHP's compressions are read; zlib's is written, which PHP reads whatever its setting.
 * `3.0` is written as the integer 3: the two are one number here.
 */
export function php(options: CompressionOptions = {}): Codec<PhpValue> {
  const compression = compressionOf(options)
  return {
    encode(value) {
      const plain = encoded(value)
      const smaller = deflated(plain, compression)
      return smaller === undefined ? plain : packed(smaller, plain.flags)
    },
    decode(data, flags) {
      return (flags & Compressed.any) === 0
        ? decoded(data, flags, flags)
        : decoded(unpacked(data, flags, compression.maxBytes), flags & ~Compressed.mask, flags)
    },
  }
}

function encoded(value: PhpValue): Encoded {
  switch (typeof value) {
    case 'string':
      return { data: sendable(name, value), flags: Type.string }
    case 'boolean':
      return { data: value ? '1' : '', flags: Type.bool }
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) throw unencodable(name, value, "integers of 64 bits, PHP's largest")
      return { data: `${value}`, flags: Type.long }
    case 'number':
      return numberOf(value)
    case 'object':
      if (types.isUint8Array(value)) return { data: value, flags: Type.string }
      return { data: jsonOf(name, value), flags: Type.json }
    default:
      throw unencodable(name, value, 'strings, numbers, booleans, Uint8Arrays and what JSON can hold')
  }
}

function numberOf(value: number): Encoded {
  const minusZero = Object.is(value, -0)
  if (Number.isSafeInteger(value) && !minusZero) return { data: digitsOf(name, value), flags: Type.long }
  return { data: minusZero ? '-0' : `${value}`, flags: Type.double }
}

function packed(deflate: { plain: Uint8Array; packed: Buffer }, flags: number): Encoded {
  const prefix = Buffer.alloc(prefixBytes)
  prefix.writeUInt32LE(deflate.plain.length)
  return { data: Buffer.concat([prefix, deflate.packed]), flags: flags | Compressed.zlib }
}

function unpacked(data: Buffer, flags: number, maxBytes: number): Buffer {
  if (data.length < prefixBytes) throw malformed(name, flags, 'too short to be compressed')
  const size = data.readUInt32LE(0)
  if (size > maxBytes) throw malformed(name, flags, `larger than ${maxBytes} bytes when inflated`)
  const packed = data.subarray(prefixBytes)
  const plain = inflatedBy(flags & Compressed.mask, packed, flags, size)
  if (plain?.length !== size) throw malformed(name, flags, 'not compressed as they say')
  return plain
}

function inflatedBy(method: number, packed: Buffer, flags: number, size: number): Buffer | undefined {
  if (method === Compressed.zlib) return inflated(name, packed, flags, Math.max(size, 1))
  if (method === Compressed.fastlz) return fastlz(packed, size)
  throw foreignFlags(name, flags, 'compressed in an unknown way')
}

/** `type` is `flags` without how it was compressed. */
function decoded(data: Buffer, type: number, flags: number): PhpValue {
  switch (type) {
    case Type.string:
      return isUtf8(data) ? data.toString('utf8') : owned(data)
    case Type.long:
      return integerOf(name, data, flags)
    case Type.double:
      return doubleOf(data, flags)
    case Type.bool:
      return boolOf(data, flags)
    case Type.json:
      return parsed(name, data, flags) as PhpValue
    default:
      throw foreignFlags(name, flags, type > 0xffff ? 'with OPT_USER_FLAGS' : serializers.get(type))
  }
}

/** PHP leaves out the zero before the point; infinities and NaN are as here. */
function doubleOf(data: Buffer, flags: number): number {
  const text = data.toString('latin1')
  const value = Number(text)
  if (text.trim() === '' || (Number.isNaN(value) && text !== 'NaN')) throw malformed(name, flags, 'not a number')
  return value
}

function boolOf(data: Buffer, flags: number): boolean {
  const text = data.toString('latin1')
  if (text !== '1' && text !== '') throw malformed(name, flags, 'neither true nor false')
  return text === '1'
}
