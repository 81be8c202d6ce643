/** Base64 of short binary keys, byte to byte. Padding is required, as memcached requires it. */
import type { Output } from './output.js'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const PAD = 61
const ENCODE = Uint8Array.from(ALPHABET, (char) => char.charCodeAt(0))
const DECODE = new Int16Array(256).fill(-1)
ENCODE.forEach((byte, value) => {
  DECODE[byte] = value
})

/** Writes the decoded bytes to `target` from 0 on. Their number, or 0 when the text is no base64. */
export function decodeBase64(u8: Uint8Array, start: number, length: number, target: Uint8Array): number {
  if (length === 0 || length % 4 !== 0) return 0
  let written = 0
  for (let at = start; at < start + length; at += 4) {
    const last = at + 4 === start + length
    const padding = last && u8[at + 3] === PAD ? (u8[at + 2] === PAD ? 2 : 1) : 0
    const a = DECODE[u8[at]]
    const b = DECODE[u8[at + 1]]
    const c = padding === 2 ? 0 : DECODE[u8[at + 2]]
    const d = padding > 0 ? 0 : DECODE[u8[at + 3]]
    if ((a | b | c | d) < 0) return 0
    target[written++] = (a << 2) | (b >> 4)
    if (padding < 2) target[written++] = ((b & 15) << 4) | (c >> 2)
    if (padding < 1) target[written++] = ((c & 3) << 6) | d
  }
  return written
}

export function writeBase64(out: Output, u8: Uint8Array, start: number, length: number): void {
  out.reserve(Math.ceil(length / 3) * 4)
  for (let at = start; at < start + length; at += 3) {
    const left = start + length - at
    const b = left > 1 ? u8[at + 1] : 0
    const c = left > 2 ? u8[at + 2] : 0
    out.byte(ENCODE[u8[at] >> 2])
    out.byte(ENCODE[((u8[at] & 3) << 4) | (b >> 4)])
    out.byte(left > 1 ? ENCODE[((b & 15) << 2) | (c >> 6)] : PAD)
    out.byte(left > 2 ? ENCODE[c & 63] : PAD)
  }
}
