/** The parts of an image file, in order, each with its sum behind it. */
import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { StoreImageError, SUM_BYTES } from './header.js'

export class PartWriter {
  readonly #file: FileHandle
  #sum = 0
  /** Bytes. */
  written = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  /** Writes all but the last four bytes of `part` and, in their place, the sum. */
  async write(part: Buffer): Promise<void> {
    const end = part.length - SUM_BYTES
    this.#sum = crc32(part.subarray(0, end), this.#sum)
    part.writeUInt32LE(this.#sum, end)
    for (let done = 0; done < part.length; ) {
      const { bytesWritten } = await this.#file.write(part, done, part.length - done, this.written)
      done += bytesWritten
      this.written += bytesWritten
    }
  }
}

export class PartReader {
  readonly #file: FileHandle
  #sum = 0
  /** Bytes. */
  done = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  /** Reads bytes that have no sum behind them: the next part's sum is of them as well. Fewer when the file ends. */
  async readAhead(bytes: Buffer): Promise<Buffer> {
    const got = await this.#fill(bytes)
    this.#sum = crc32(got, this.#sum)
    return got
  }

  /**
   * Fills `part` with bytes and, at its end, their sum.
   * @throws StoreImageError when the file ends before, or the sum is wrong.
   */
  async read(part: Buffer, name: string): Promise<void> {
    const got = await this.#fill(part)
    if (got.length < part.length) throw new StoreImageError('it is cut short')
    const end = part.length - SUM_BYTES
    this.#sum = crc32(part.subarray(0, end), this.#sum)
    if (part.readUInt32LE(end) !== this.#sum)
      throw new StoreImageError(`it is damaged: the sum of its ${name} is wrong`)
  }

  async #fill(bytes: Buffer): Promise<Buffer> {
    let done = 0
    while (done < bytes.length) {
      const { bytesRead } = await this.#file.read(bytes, done, bytes.length - done, this.done)
      if (bytesRead === 0) break
      done += bytesRead
      this.done += bytesRead
    }
    return bytes.subarray(0, done)
  }
}
