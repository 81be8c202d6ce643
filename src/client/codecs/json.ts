import type { Codec } from '../codec.js'
import { foreignFlags, malformed, unencodable } from './refusal.js'
import { PYTHON_TEXT } from './text.js'
import { textOf } from './utf8.js'

/** php-memcached marks JSON like this. */
export const JSON_FLAGS = 6

/**
 * Whatever JSON can hold. Written with php-memcached's flags for it, so that PHP reads it with no setting. Read with these,
 * and from plain text too, since many clients write JSON as text; what is no JSON is a `CodecError`.
 *
 * `T` is a promise about what is stored, not checked at run time.
 */
export function json<T = unknown>(): Codec<T> {
  return {
    encode(value) {
      return { data: jsonOf('json()', value), flags: JSON_FLAGS }
    },
    decode(data, flags) {
      if (flags !== JSON_FLAGS && flags !== 0 && flags !== PYTHON_TEXT) throw foreignFlags('json()', flags)
      return parsed('json()', data, flags) as T
    },
  }
}

export function jsonOf(codec: string, value: unknown): string {
  let text: string | undefined
  let cause: unknown
  try {
    text = JSON.stringify(value)
  } catch (error) {
    cause = error
  }
  if (text === undefined) throw unencodable(codec, value, 'what JSON can hold', cause)
  return text
}

export function parsed(codec: string, data: Buffer, flags: number): unknown {
  const text = textOf(codec, data, flags)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw malformed(codec, flags, 'not JSON', cause)
  }
}
