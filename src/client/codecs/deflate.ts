/** zlib's format (RFC 1950): what is worth it is deflated, and what is inflated has a bound. */
import { constants, deflateSync, inflateSync } from 'node:zlib'
import type { Encoded } from '../codec.js'
import { InvalidArgumentError } from '../errors.js'
import { malformed } from './refusal.js'

export interface CompressionOptions {
  /** Values from so many bytes on are compressed; Infinity: none. Default 2,000. */
  threshold?: number
  /** zlib's level, from 1 (fast) to 9 (small). Default zlib's own, 6. */
  level?: number
  /** Larger values are neither compressed nor, where others have done it, inflated. Bytes, default 64 MiB. */
  maxBytes?: number
}

export const MAX_INFLATED = 64 * 2 ** 20

/** The options with their defaults; throws `InvalidArgumentError`. */
export function compressionOf(options: CompressionOptions): Required<CompressionOptions> {
  const { threshold = 2000, level = constants.Z_DEFAULT_COMPRESSION, maxBytes = MAX_INFLATED } = options
  if (!Number.isInteger(level) || level < -1 || level > 9)
    throw new InvalidArgumentError(`zlib has levels from 1 to 9, not ${level}`)
  if (!(threshold >= 0)) throw new InvalidArgumentError(`the threshold of compression is in bytes, not ${threshold}`)
  if (!Number.isInteger(maxBytes) || maxBytes < 1)
    throw new InvalidArgumentError(`maxBytes is a whole number of bytes, not ${maxBytes}`)
  return { threshold, level, maxBytes }
}

/** The plain bytes and the deflated ones; undefined when the options say no, or nothing is won. */
export function deflated(
  { data }: Encoded,
  { threshold, level, maxBytes }: Required<CompressionOptions>,
): { plain: Uint8Array; packed: Buffer } | undefined {
  const size = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength
  if (size < threshold || size > maxBytes) return undefined
  const plain = typeof data === 'string' ? Buffer.from(data) : data
  const packed = deflateSync(plain, { level })
  return packed.length < size ? { plain, packed } : undefined
}

export function inflated(codec: string, data: Uint8Array, flags: number, maxBytes: number): Buffer {
  let result: { buffer: Buffer; engine: { bytesWritten: number } }
  try {
    // With `info` the result tells how much was read: inflateSync stops at the end of the stream without a word.
    result = inflateSync(data, { maxOutputLength: maxBytes, info: true } as object) as unknown as typeof result
  } catch (cause) {
    const tooLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    throw malformed(codec, flags, tooLarge ? `larger than ${maxBytes} bytes when inflated` : 'not deflated', cause)
  }
  if (result.engine.bytesWritten === data.length) return result.buffer
  throw malformed(codec, flags, 'followed by bytes that were appended to it')
}
