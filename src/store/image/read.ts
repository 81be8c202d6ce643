/** Reading an image: its header first, so that whoever opened it can decide, and then all of it into a new table's memory. */
import { type FileHandle, open } from 'node:fs/promises'
import type { Memory } from '../memory.js'
import {
  decodeHeader,
  headerLength,
  type ImageHeader,
  imageBytes,
  PREAMBLE_BYTES,
  pagesPerPart,
  StoreImageError,
  SUM_BYTES,
} from './header.js'
import { PartReader } from './parts.js'
import { unpackTables } from './tables.js'
import { type OnImageProgress, pageBytes } from './write.js'

export class StoreImage {
  readonly header: ImageHeader
  /** Bytes of the file. */
  readonly bytes: number
  readonly #file: FileHandle
  readonly #parts: PartReader

  private constructor(header: ImageHeader, bytes: number, file: FileHandle, parts: PartReader) {
    this.header = header
    this.bytes = bytes
    this.#file = file
    this.#parts = parts
  }

  /**
   * Reads the header of the image at `path`.
   * @throws StoreImageError for what is no image, or not one for us; what the system says when it cannot be opened.
   */
  static async open(path: string): Promise<StoreImage> {
    const file = await open(path, 'r')
    try {
      const parts = new PartReader(file)
      const length = headerLength(await parts.readAhead(Buffer.alloc(PREAMBLE_BYTES)))
      const json = Buffer.alloc(length + SUM_BYTES)
      await parts.read(json, 'header')
      const header = decodeHeader(json.subarray(0, length))
      const bytes = imageBytes(header, length)
      checkLength(bytes, (await file.stat()).size)
      return new StoreImage(header, bytes, file, parts)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /**
   * Fills the memory of a new table, which nobody uses yet, with tables and pages: once.
   * @throws StoreImageError when it is damaged, or for more pages than there are; the memory is then of no use.
   */
  async fill(memory: Memory, onProgress: OnImageProgress): Promise<void> {
    const { pages, pageShift, tableWords, lastSequence } = this.header
    if (pages > memory.pages)
      throw new StoreImageError(
        `it takes ${mib(pages << (pageShift - 10))} MiB, and there are ${mib(memory.pages << (pageShift - 10))}`,
      )
    const tables = Buffer.from(new ArrayBuffer(tableWords * 4 + SUM_BYTES))
    await this.#parts.read(tables, 'tables')
    unpackTables(memory, new Int32Array(tables.buffer, 0, tableWords), pages, lastSequence)
    const perPart = pagesPerPart(pageShift)
    const buffer = Buffer.from(new ArrayBuffer((perPart << pageShift) + SUM_BYTES))
    for (let from = 0; from < pages; from += perPart) {
      const count = Math.min(perPart, pages - from)
      await this.#parts.read(buffer.subarray(0, (count << pageShift) + SUM_BYTES), 'pages')
      for (let i = 0; i < count; i++)
        pageBytes(memory, from + i + 1).set(buffer.subarray(i << pageShift, (i + 1) << pageShift))
      onProgress(Math.min(this.bytes, this.#parts.done), this.bytes)
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

function mib(kib: number): number {
  return Math.ceil(kib / 1024)
}

function checkLength(expected: number, actual: number): void {
  if (actual < expected) throw new StoreImageError(`it is cut short: ${actual} of ${expected} bytes`)
  if (actual > expected) throw new StoreImageError(`it is damaged: ${actual} bytes, where ${expected} belong`)
}
