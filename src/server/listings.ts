/** What `stats` tells after a walk over all items: between its steps everybody else has a turn. */
import { Bytes, type ItemReader, type ItemView, sizeClassOf, type Table } from '../store/index.js'
import { printable } from './uri.js'

/** As memcached's: sizes of `stats sizes` are rounded up to so many bytes. */
const SIZE_STEP = 32
/** Likewise: a listing of keys ends when it has this many bytes. */
const LISTING_BYTES = 2_097_152

const decoder = new TextDecoder()

async function walk(table: Table, reader: ItemReader, isEnough: () => boolean): Promise<void> {
  for (let cursor = table.scan(0, reader); cursor !== 0 && !isEnough(); cursor = table.scan(cursor, reader)) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** `stats sizes`: how many items there are of each size, headers and keys included. */
export async function sizesListing(table: Table): Promise<string> {
  const counts = new Map<number, number>()
  const item = ({ size }: ItemView) => {
    const upTo = Math.ceil(size / SIZE_STEP) * SIZE_STEP
    counts.set(upTo, (counts.get(upTo) ?? 0) + 1)
  }
  await walk(table, { item }, () => false)
  const rows = [...counts].sort(([one], [other]) => one - other)
  return `${rows.map(([size, count]) => `STAT ${size} ${count}\r\n`).join('')}END\r\n`
}

/** `stats cachedump`: keys of a size class with their items' sizes and ends, at most `most` of them; 0 for no such limit. */
export async function keysListing(table: Table, sizeClass: number, most: number): Promise<string> {
  const key = Bytes.allocate(256)
  const limit = most === 0 ? Number.POSITIVE_INFINITY : most
  let text = ''
  let count = 0
  const isEnough = () => count >= limit || text.length >= LISTING_BYTES
  const item = (view: ItemView) => {
    if (isEnough() || sizeClassOf(view.size) !== sizeClass) return
    view.copyKey(key, 0)
    const expires = view.ttlMs < 0 ? 0 : Math.ceil((Date.now() + view.ttlMs) / 1000)
    const name = printable(decoder.decode(key.u8.subarray(0, view.keyLength)))
    text += `ITEM ${name} [${view.valueLength} b; ${expires} s]\r\n`
    count++
  }
  await walk(table, { item }, isEnough)
  return `${text}END\r\n`
}
