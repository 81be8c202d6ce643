/** Text and its UTF-8, neither with a character put in the place of what is none. */
import { isUtf8 } from 'node:buffer'
import { malformed, unencodable } from './refusal.js'

/** The text itself, when UTF-8 can hold it: half a surrogate pair cannot be sent. */
export function sendable(codec: string, text: string): string {
  if (text.isWellFormed()) return text
  throw unencodable(codec, text, 'well-formed text')
}

export function textOf(codec: string, data: Buffer, flags: number): string {
  const text = data.toString('utf8')
  // Replacement characters are rare. They are looked for before the bytes are, as most text is over with that.
  if (text.includes('\ufffd') && !isUtf8(data)) throw malformed(codec, flags, 'not UTF-8')
  return text
}
