/** Writing the image of a table, in slices: the event loop goes on meanwhile, but nobody may use the table. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BUFFER_UNITS_MASK, BUFFER_UNITS_SHIFT, UNIT_BYTES } from '../layout.js'
import type { Memory } from '../memory.js'
import { encodeHeader, type ImageHeader, imageBytes, PREAMBLE_BYTES, pagesPerPart, SUM_BYTES } from './header.js'
import { PartWriter } from './parts.js'
import { Placement } from './placement.js'
import { packTables, sumStripes } from './tables.js'

/** Bytes of the file that are done, and of all of it. */
export type OnImageProgress = (done: number, total: number) => void

/** What the header says that the memory does not. */
export type ImageFacts = Omit<
  ImageHeader,
  'pageShift' | 'stripes' | 'depth' | 'pages' | 'tableWords' | 'items' | 'lastSequence'
>

/** How the file is opened; tests put faults in. */
export type OpenFile = (path: string, flags: string, mode?: number) => Promise<FileHandle>

/** What was written. */
export interface ImageSize {
  readonly items: number
  readonly bytes: number
}

/**
 * Writes a file of another name, `<path>.new`, and gives it the name once it is on the disk: until then what is at `path`
 * stays, and when this fails.
 */
export async function writeImage(
  path: string,
  memory: Memory,
  facts: ImageFacts,
  onProgress: OnImageProgress,
  openFile: OpenFile = open,
): Promise<ImageSize> {
  const unfinished = `${path}.new`
  try {
    // Of another's file, or through another's link, it would not be ours alone.
    await rm(unfinished, { force: true })
    const size = await writeSynced(await openFile(unfinished, 'wx', 0o600), memory, facts, onProgress)
    await rename(unfinished, path)
    await syncDirectory(dirname(path))
    return size
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined)
    throw error
  }
}

async function writeSynced(
  file: FileHandle,
  memory: Memory,
  facts: ImageFacts,
  onProgress: OnImageProgress,
): Promise<ImageSize> {
  try {
    const size = await writeParts(file, memory, facts, onProgress)
    await file.sync()
    return size
  } finally {
    await file.close()
  }
}

/** Makes durable which names there are. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

async function writeParts(
  file: FileHandle,
  memory: Memory,
  facts: ImageFacts,
  onProgress: OnImageProgress,
): Promise<ImageSize> {
  const placement = new Placement(memory)
  const tables = packTables(memory, placement)
  const { pageShift, stripes } = memory.handle.geometry
  const { items, depth, lastSequence } = sumStripes(memory)
  const shape = { pageShift, stripes, depth, pages: placement.pages.length, tableWords: tables.length }
  const header: ImageHeader = { ...facts, ...shape, items, lastSequence }
  const head = encodeHeader(header)
  const total = imageBytes(header, head.length - PREAMBLE_BYTES)
  const parts = new PartWriter(file)
  await parts.write(withSum(head))
  await parts.write(withSum(new Uint8Array(tables.buffer)))
  const perPart = pagesPerPart(pageShift)
  const part = Buffer.from(new ArrayBuffer((perPart << pageShift) + SUM_BYTES))
  for (let from = 0; from < placement.pages.length; from += perPart) {
    const pages = placement.pages.slice(from, from + perPart)
    for (const [place, page] of pages.entries()) copyPage(memory, placement, page, part, place << pageShift)
    await parts.write(part.subarray(0, (pages.length << pageShift) + SUM_BYTES))
    onProgress(Math.min(total, parts.written), total)
  }
  return { items, bytes: total }
}

function withSum(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(SUM_BYTES)])
}

function copyPage(memory: Memory, placement: Placement, page: number, part: Buffer, at: number): void {
  const bytes = memory.pageUnits * UNIT_BYTES
  part.set(pageBytes(memory, page), at)
  if (placement.isIndex(page)) placement.relocate(new Int32Array(part.buffer, at, bytes / 4))
}

/** A page's bytes where they lie. */
export function pageBytes(memory: Memory, page: number): Uint8Array {
  const unit = page << memory.pageUnitsShift
  const from = (unit & BUFFER_UNITS_MASK) * UNIT_BYTES
  return memory.buffers[unit >>> BUFFER_UNITS_SHIFT]!.u8.subarray(from, from + memory.pageUnits * UNIT_BYTES)
}
