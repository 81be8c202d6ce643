/**
 * Values that know whether they are whole and whose they are: one frame or several, each with its length, a seed and
 * the key's hash, and a body that follows from these.
 */
const HEADER_BYTES = 12

function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

function bodyByte(start: number, i: number): number {
  return (start + Math.imul(i, 0x9e3779b1)) >>> 24
}

/** One frame for `key`, with `length` bytes behind its header. */
export function frame(key: string, length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + length)
  const hash = hashOf(key)
  bytes.writeUInt32LE(length, 0)
  bytes.writeUInt32LE(seed >>> 0, 4)
  bytes.writeUInt32LE(hash, 8)
  const start = Math.imul(seed, 0x85ebca6b) ^ hash
  for (let i = 0; i < length; i++) bytes[HEADER_BYTES + i] = bodyByte(start, i)
  return bytes
}

/** What is wrong with a value that was stored under `key`; undefined when it is whole. */
export function fault(key: string, value: Uint8Array): string | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length)
  const hash = hashOf(key)
  if (bytes.length === 0) return `${key}: empty`
  for (let at = 0; at < bytes.length; ) {
    if (at + HEADER_BYTES > bytes.length) return `${key}: torn header at ${at} of ${bytes.length}`
    const length = bytes.readUInt32LE(at)
    if (bytes.readUInt32LE(at + 8) !== hash) return `${key}: foreign frame at ${at} of ${bytes.length}`
    if (at + HEADER_BYTES + length > bytes.length) return `${key}: torn frame at ${at} of ${bytes.length}`
    const start = Math.imul(bytes.readUInt32LE(at + 4), 0x85ebca6b) ^ hash
    for (let i = 0; i < length; i++) {
      if (bytes[at + HEADER_BYTES + i] !== bodyByte(start, i))
        return `${key}: wrong byte ${i} of the frame at ${at} of ${bytes.length}`
    }
    at += HEADER_BYTES + length
  }
  return undefined
}

/** The seeds of a whole value's frames, in their order. */
export function seedsOf(value: Uint8Array): number[] {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length)
  const seeds: number[] = []
  for (let at = 0; at < bytes.length; at += HEADER_BYTES + bytes.readUInt32LE(at))
    seeds.push(bytes.readUInt32LE(at + 4))
  return seeds
}
