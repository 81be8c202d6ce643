/**
 * The image of a table: a file that a table is written to when nothing uses it any more, and made from again.
 *
 *   ┌──────────────────┬─────────┬───────────┬────────┬─────┬────────┬─────┬─────────┬─────┬────
 *   │ latchkey image\n │ version │ length of │ header │ sum │ tables │ sum │ pages   │ sum │ …
 *   │ and a zero, 16 B │ 4       │ header, 4 │ JSON   │ 4   │ words  │ 4   │ ≤ 4 MiB │ 4   │
 *   └──────────────────┴─────────┴───────────┴────────┴─────┴────────┴─────┴─────────┴─────┴────
 *
 * Version, length and sums are little-endian. A sum is the CRC-32 of everything before it but sums, so that parts which change
 * places do not go unseen either. Tables are what `tables.ts` packs. Pages follow in the order of their numbers, which begin
 * at 1 again: free pages take no room in the file, and the table may be made again with more or less memory.
 *
 * Tables and pages are shared memory as it was. So the header says how that is laid out: who lays it out otherwise, or hashes
 * otherwise, cannot read it.
 */
import { endianness } from 'node:os'
import { crc32 } from 'node:zlib'
import { Bytes } from '../bytes.js'
import type { CasEra } from '../cas-epoch.js'
import { StoreError } from '../errors.js'
import { Key } from '../key.js'
import * as layout from '../layout.js'
import { PAGE_SHIFTS } from '../memory.js'

/** Thrown when an image cannot be read or written; nothing was changed. The message says what is wrong with "it". */
export class StoreImageError extends StoreError {
  constructor(message: string) {
    super('STORE_IMAGE', message)
  }
}

export interface ImageHeader {
  readonly pageShift: number
  readonly stripes: number
  /** Depth of the deepest directory. */
  readonly depth: number
  /** Pages in the file. */
  readonly pages: number
  /** Words of the tables. */
  readonly tableWords: number
  readonly items: number
  readonly seed: number
  /** The store's time when it was written; all times below, and in pages, are on its clock. */
  readonly nowMs: number
  /** Of a delayed flush; 0 for none. */
  readonly flushAtMs: number
  readonly graceUntilMs: number
  readonly latestLeaseMs: number
  readonly pinnedPrefixes: readonly string[]
  readonly eras: readonly CasEra[]
  /** The greatest sequence number of any stripe. */
  readonly lastSequence: number
  /** Above every token given. */
  readonly ceiling: bigint
  /** Whatever the writer wants to find again. */
  readonly note: string
}

export const SUM_BYTES = 4
export const PREAMBLE_BYTES = 24
const MAGIC = 'latchkey image\n\0'
const VERSION = 1
const VERSION_AT = 16
const LENGTH_AT = 20
const HEADER_MAX = 2 ** 24
/** One stripe of all the memory that there may be has a shallower directory. */
const DEPTH_MAX = 24

/** Pages of a part of the file. */
export function pagesPerPart(pageShift: number): number {
  return 2 ** (22 - pageShift)
}

/** Bytes of the whole file. */
export function imageBytes({ pageShift, pages, tableWords }: ImageHeader, headerBytes: number): number {
  const parts = 2 + Math.ceil(pages / pagesPerPart(pageShift))
  return PREAMBLE_BYTES + headerBytes + tableWords * 4 + pages * 2 ** pageShift + parts * SUM_BYTES
}

/** What memory looks like to this program: byte order, every constant of the layout, and where a key's hashes lead. */
function dialect(seed: number): { byteOrder: string; layout: number; hashes: number[] } {
  const constants = JSON.stringify(Object.entries(layout).map(([name, value]) => [name, value]))
  const key = new Key(seed, layout.MAX_STRIPES)
  const name = Buffer.from('latchkey:fence:latchkey')
  key.setBytes(new Bytes(name), 0, name.length)
  return { byteOrder: endianness(), layout: crc32(constants), hashes: [key.first, key.second] }
}

const isBig = (name: string) => name === 'epoch' || name === 'ceiling'

/** Preamble and header. */
export function encodeHeader(header: ImageHeader): Buffer {
  const fields = { ...dialect(header.seed), ...header }
  const json = Buffer.from(JSON.stringify(fields, (name, value) => (isBig(name) ? String(value) : value)))
  const preamble = Buffer.alloc(PREAMBLE_BYTES)
  preamble.write(MAGIC, 'latin1')
  preamble.writeUInt32LE(VERSION, VERSION_AT)
  preamble.writeUInt32LE(json.length, LENGTH_AT)
  return Buffer.concat([preamble, json])
}

/** Bytes of the header behind a preamble. @throws StoreImageError when it is none, or of a version that is not known. */
export function headerLength(preamble: Buffer): number {
  if (preamble.length === 0) throw new StoreImageError('it is empty')
  if (preamble.toString('latin1', 0, VERSION_AT) !== MAGIC) throw new StoreImageError('it is no image of latchkey')
  if (preamble.length < PREAMBLE_BYTES) throw new StoreImageError('it is cut short')
  const version = preamble.readUInt32LE(VERSION_AT)
  if (version !== VERSION)
    throw new StoreImageError(`it is of version ${version}, and this program knows version ${VERSION}`)
  const length = preamble.readUInt32LE(LENGTH_AT)
  if (length > HEADER_MAX) throw new StoreImageError('it is damaged: the length of its header cannot be')
  return length
}

/**
 * @throws StoreImageError for a header, its sum being right, of a program that lays memory out otherwise, or with figures that
 * cannot be: they say how much memory is taken.
 */
export function decodeHeader(json: Buffer): ImageHeader {
  const fields = parsed(json)
  const ours = dialect(fields.seed)
  if (fields.byteOrder !== ours.byteOrder) throw new StoreImageError('it is of a machine with another byte order')
  if (fields.layout !== ours.layout || String(fields.hashes) !== String(ours.hashes))
    throw new StoreImageError('it is of a version of latchkey that lays memory out otherwise')
  if (!isPossible(fields)) throw new StoreImageError('it is damaged: the figures of its header cannot be')
  return fields
}

function parsed(json: Buffer) {
  try {
    return JSON.parse(json.toString(), (name, value) => (isBig(name) ? BigInt(value) : value))
  } catch {
    throw new StoreImageError('it is damaged: its header is no JSON')
  }
}

function isPossible({ pageShift, stripes, depth, pages, tableWords, lastSequence, ...rest }: ImageHeader): boolean {
  const within = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most
  return (
    PAGE_SHIFTS.includes(pageShift) &&
    within(stripes, 1, layout.MAX_STRIPES) &&
    Number.isInteger(Math.log2(stripes)) &&
    within(pages, 0, layout.MAX_MEMORY / 2 ** pageShift) &&
    // A directory leads to pages of the index.
    within(depth, 0, DEPTH_MAX) &&
    within(tableWords, 0, stripes * (layout.STRIPE_WORDS + 2 ** depth) + pages * layout.PAGE_WORDS) &&
    within(lastSequence, 0, Number.MAX_SAFE_INTEGER) &&
    [rest.nowMs, rest.flushAtMs, rest.graceUntilMs, rest.latestLeaseMs].every(Number.isFinite) &&
    rest.eras.length > 0
  )
}
