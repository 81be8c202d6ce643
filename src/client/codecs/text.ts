import type { Codec } from '../codec.js'
import { foreignFlags, unencodable } from './refusal.js'
import { sendable, textOf } from './utf8.js'

/** pymemcache, python-memcached and pylibmc mark text like this, and bytes with 0. */
export const PYTHON_TEXT = 16

/** Text as UTF-8, with flags 0. Reads the text of Python's clients too. */
export function text(): Codec<string> {
  return {
    encode(value) {
      if (typeof value !== 'string') throw unencodable('text()', value, 'a string')
      return { data: sendable('text()', value), flags: 0 }
    },
    decode(data, flags) {
      if (flags !== 0 && flags !== PYTHON_TEXT) throw foreignFlags('text()', flags)
      return textOf('text()', data, flags)
    },
  }
}
