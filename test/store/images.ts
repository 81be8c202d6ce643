/** For tests of images: tables of all sorts of items, what is in them, and the file taken apart. */
import { readFileSync, writeFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import {
  Bytes,
  readOptions,
  removeOptions,
  Store,
  StoreImage,
  type StoreOptions,
  Table,
  type WriteMode,
  writeOptions,
} from 'latchkey/store'
import { type ImageHeader, PREAMBLE_BYTES, pagesPerPart, SUM_BYTES } from '#dist/store/image/header.js'
import type { Random } from './random.js'
import type { VirtualClock } from './virtual-clock.js'

/** Everything that can be seen of an item, in words. */
export type Contents = Map<string, string>

export function contentsOf(table: Table): Contents {
  const contents: Contents = new Map()
  const key = Bytes.allocate(250)
  let cursor = 0
  do {
    cursor = table.scan(cursor, {
      item(view) {
        view.copyKey(key, 0)
        const value = Bytes.allocate(view.valueLength)
        view.copyValue(value, 0)
        const { flags, cas, ttlMs, stale, fetched, wonBefore, idleSeconds, size } = view
        const facts = { flags, cas: String(cas), ttlMs, stale, fetched, wonBefore, idleSeconds, size }
        const name = Buffer.from(key.u8.subarray(0, view.keyLength)).toString('latin1')
        contents.set(name, `${JSON.stringify(facts)} ${crc32(value.u8)}`)
      },
    })
  } while (cursor !== 0)
  return contents
}

export const KEYS = 1500

/** Of the locks and other items that are used. */
export function nameOf(number: number): string {
  return number < 15 ? `latchkey:lock:${number}` : `key:${number}${'k'.repeat(number % 90)}`
}

/** Does what clients do, at random. */
export class Usage {
  readonly #table: Table
  readonly #store: Store
  readonly #random: Random
  readonly #clock: VirtualClock
  readonly #scratch = Bytes.allocate(250)

  constructor(table: Table, random: Random, clock: VirtualClock) {
    this.#table = table
    this.#store = new Store(table)
    this.#random = random
    this.#clock = clock
  }

  go(steps: number): void {
    for (let step = 0; step < steps; step++) {
      this.#act()
      if (this.#random.below(20) === 0) this.#clock.advance(this.#random.below(3000))
      this.#table.tick()
    }
  }

  #act(): void {
    const random = this.#random
    const name = this.#name()
    const dice = random.below(100)
    if (dice < 45) this.#write(name, 0)
    else if (dice < 50) this.#write(name, 3)
    else if (dice < 53) this.#write(name, 4)
    else if (dice < 58) this.#store.delete(name)
    else if (dice < 63) this.#mark(name)
    else if (dice < 67) this.#store.touch(name, random.below(2) * 90_000)
    else if (dice < 70) this.#raise(`fenced:${random.below(40)}`)
    else if (dice < 72) this.#store.set(`number:${random.below(20)}`, '7')
    else if (dice < 75) this.#store.incr(`number:${random.below(20)}`, 3n)
    else this.#read(name)
  }

  #name(): string {
    const random = this.#random
    return nameOf(random.below(KEYS))
  }

  #raise(name: string): void {
    this.#store.setFenced(name, 'guarded', BigInt(this.#random.below(1000)), { ttlMs: 50_000 })
  }

  #write(name: string, mode: number): void {
    const random = this.#random
    const length = name.startsWith('latchkey:') ? random.below(60) : random.valueLength()
    const value = Bytes.allocate(length)
    for (let at = 0; at < length; at += 1 + random.below(40)) value.u8[at] = random.below(256)
    const options = writeOptions()
    options.mode = mode as WriteMode
    options.ttlMs = random.below(3) === 0 ? 1 + random.below(120_000) : 0
    options.flags = random.below(2) * 0xdeadbeef
    options.newCas = random.below(15) === 0 ? BigInt(random.below(1e9)) : undefined
    this.#table.write(this.#keyOf(name), value, 0, length, options)
  }

  #mark(name: string): void {
    this.#table.remove(this.#keyOf(name), { ...removeOptions(), invalidate: true })
  }

  #read(name: string): void {
    const options = readOptions()
    options.mayWin = true
    options.recache = this.#random.below(4) === 0
    options.recacheMs = 60_000
    this.#table.read(this.#keyOf(name), options, { item: () => undefined })
  }

  #keyOf(name: string) {
    const key = this.#table.newKey()
    this.#scratch.u8.set(Buffer.from(name))
    key.setBytes(this.#scratch, 0, Buffer.byteLength(name))
    return key
  }
}

export interface RestoreTest {
  options?: StoreOptions
  stoppedMs?: number
  casFloor?: bigint
}

/** Makes a table of the file. */
export async function restored(path: string, clock: VirtualClock, test: RestoreTest = {}): Promise<Table> {
  const { options = { memory: '4mb' }, stoppedMs = 0, casFloor } = test
  const image = await StoreImage.open(path)
  const inherited = casFloor === undefined ? undefined : { casFloor, graceMs: 0, maxLeaseMs: 600_000 }
  try {
    return await Table.restore(image, options, { stoppedMs, clock, inherited })
  } finally {
    await image.close()
  }
}

/** Changes fields of the header of a file, and makes every sum right again. */
export function changeHeader(
  path: string,
  change: Partial<ImageHeader> & { byteOrder?: string; layout?: number },
): void {
  const file = readFileSync(path)
  const length = file.readUInt32LE(20)
  const fields = JSON.parse(file.toString('utf8', PREAMBLE_BYTES, PREAMBLE_BYTES + length))
  const perPart = pagesPerPart(fields.pageShift)
  const lengths = [fields.tableWords * 4]
  for (let left = fields.pages; left > 0; left -= perPart) lengths.push(Math.min(left, perPart) * 2 ** fields.pageShift)
  const json = Buffer.from(JSON.stringify({ ...fields, ...change }))
  const preamble = Buffer.from(file.subarray(0, PREAMBLE_BYTES))
  preamble.writeUInt32LE(json.length, 20)
  const parts = [Buffer.concat([preamble, json])]
  let at = PREAMBLE_BYTES + length + SUM_BYTES
  for (const partLength of lengths) {
    parts.push(file.subarray(at, at + partLength))
    at += partLength + SUM_BYTES
  }
  writeFileSync(path, Buffer.concat(parts.flatMap(withSum())))
}

function withSum(): (part: Buffer) => Buffer[] {
  let sum = 0
  return (part) => {
    sum = crc32(part, sum)
    const bytes = Buffer.alloc(SUM_BYTES)
    bytes.writeUInt32LE(sum)
    return [part, bytes]
  }
}
