/**
 * MD5 (RFC 1321), for the place of a key on the ring only. For a key this takes a seventh of the time of node:crypto's
 * createHash and about that of its crypto.hash, and unlike both it is there in FIPS mode.
 */

/** sin(1) to sin(64), as fractions of 2^32 (RFC 1321, section 3.4). */
const sines = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32))
const block = new Int32Array(16)

/** The digest of the first `length` bytes as four little-endian words, in `digest`. */
export function md5(bytes: Uint8Array, length: number, digest: Int32Array): void {
  digest[0] = 0x67452301
  digest[1] = 0xefcdab89
  digest[2] = 0x98badcfe
  digest[3] = 0x10325476
  let at = 0
  for (; length - at >= 64; at += 64) {
    load(bytes, at, 64)
    mix(digest)
  }
  load(bytes, at, length - at)
  const last = length - at
  block[last >> 2] |= 0x80 << ((last & 3) * 8)
  if (last >= 56) {
    mix(digest)
    block.fill(0)
  }
  block[14] = length * 8
  mix(digest)
}

function load(bytes: Uint8Array, from: number, count: number): void {
  const whole = count >> 2
  let at = from
  for (let i = 0; i < whole; i++, at += 4)
    block[i] = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
  for (let i = whole; i < 16; i++) block[i] = 0
  for (let i = 0; i < (count & 3); i++) block[whole] |= bytes[at + i] << (i * 8)
}

function mix(digest: Int32Array): void {
  let a = digest[0]
  let b = digest[1]
  let c = digest[2]
  let d = digest[3]
  for (let i = 0; i < 16; i += 4) {
    a = (turn(a + (d ^ (b & (c ^ d))) + sines[i] + block[i], 7) + b) | 0
    d = (turn(d + (c ^ (a & (b ^ c))) + sines[i + 1] + block[i + 1], 12) + a) | 0
    c = (turn(c + (b ^ (d & (a ^ b))) + sines[i + 2] + block[i + 2], 17) + d) | 0
    b = (turn(b + (a ^ (c & (d ^ a))) + sines[i + 3] + block[i + 3], 22) + c) | 0
  }
  for (let i = 0; i < 16; i += 4) {
    a = (turn(a + (c ^ (d & (b ^ c))) + sines[i + 16] + block[(i * 5 + 1) & 15], 5) + b) | 0
    d = (turn(d + (b ^ (c & (a ^ b))) + sines[i + 17] + block[(i * 5 + 6) & 15], 9) + a) | 0
    c = (turn(c + (a ^ (b & (d ^ a))) + sines[i + 18] + block[(i * 5 + 11) & 15], 14) + d) | 0
    b = (turn(b + (d ^ (a & (c ^ d))) + sines[i + 19] + block[(i * 5) & 15], 20) + c) | 0
  }
  for (let i = 0; i < 16; i += 4) {
    a = (turn(a + (b ^ c ^ d) + sines[i + 32] + block[(i * 3 + 5) & 15], 4) + b) | 0
    d = (turn(d + (a ^ b ^ c) + sines[i + 33] + block[(i * 3 + 8) & 15], 11) + a) | 0
    c = (turn(c + (d ^ a ^ b) + sines[i + 34] + block[(i * 3 + 11) & 15], 16) + d) | 0
    b = (turn(b + (c ^ d ^ a) + sines[i + 35] + block[(i * 3 + 14) & 15], 23) + c) | 0
  }
  for (let i = 0; i < 16; i += 4) {
    a = (turn(a + (c ^ (b | ~d)) + sines[i + 48] + block[(i * 7) & 15], 6) + b) | 0
    d = (turn(d + (b ^ (a | ~c)) + sines[i + 49] + block[(i * 7 + 7) & 15], 10) + a) | 0
    c = (turn(c + (a ^ (d | ~b)) + sines[i + 50] + block[(i * 7 + 14) & 15], 15) + d) | 0
    b = (turn(b + (d ^ (c | ~a)) + sines[i + 51] + block[(i * 7 + 21) & 15], 21) + c) | 0
  }
  digest[0] += a
  digest[1] += b
  digest[2] += c
  digest[3] += d
}

function turn(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
