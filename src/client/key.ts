/** Keys as they travel: checked, with the client's prefix, and in base64 where plain text would break the line. */
import { InvalidArgumentError } from './errors.js'
import type { Key } from './types.js'

/** memcached's limit, of what stands on the line: base64 counts in full. */
export const KEY_MAX = 250

export interface WireKey {
  /** What stands on the line, one char a byte. */
  readonly text: string
  /** The line needs the `b` flag, which only meta commands have. */
  readonly base64: boolean
}

/** The key with its prefix, as it is stored. Throws InvalidArgumentError for another type. */
export function fullKey(key: Key, prefix: string): Key {
  if (typeof key === 'string') return prefix === '' ? key : prefix + key
  if (!(key instanceof Uint8Array)) throw new InvalidArgumentError(`a key is a string or bytes, not ${typeof key}`)
  return prefix === '' ? key : Buffer.concat([Buffer.from(prefix), key])
}

/** Throws InvalidArgumentError for what is no key: empty, too long, text with spaces or control characters. */
export function wireKey(key: Key, prefix = ''): WireKey {
  const full = fullKey(key, prefix)
  return typeof full === 'string' ? textKey(full) : bytesKey(full)
}

function textKey(key: string): WireKey {
  let highest = 0
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    if (code <= 32 || code === 127) {
      throw new InvalidArgumentError(
        `a space or control character in the key ${JSON.stringify(key)}; such keys can be given as bytes`,
      )
    }
    if (code > highest) highest = code
  }
  if (highest < 128) return sized(key, false)
  if (!key.isWellFormed()) throw new InvalidArgumentError(`half a surrogate pair in the key ${JSON.stringify(key)}`)
  return sized(Buffer.from(key).toString('latin1'), false)
}

function bytesKey(key: Uint8Array): WireKey {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength)
  if (bytes.every((byte) => byte > 32 && byte !== 127)) return sized(bytes.toString('latin1'), false)
  return sized(bytes.toString('base64'), true)
}

function sized(text: string, base64: boolean): WireKey {
  if (text.length === 0) throw new InvalidArgumentError('the key is empty')
  if (text.length > KEY_MAX) {
    throw new InvalidArgumentError(`the key takes ${text.length} bytes${base64 ? ' as base64' : ''}, of ${KEY_MAX}`)
  }
  return { text, base64 }
}
