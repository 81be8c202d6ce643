import { BatchBuilder } from '../support/batch.js'
import { mebibyte } from '../support/memory.js'
import { type Contestants, type RunningServer, withBoth } from '../support/servers.js'
import { round } from '../support/statistics.js'
import { Wire } from '../support/wire.js'

/** What one server says that it holds, and what could be read back. */
export interface Held {
  currItems: number
  readable: number
}

export interface ItemsRow {
  valueBytes: number
  inserted: number
  latchkey: Held
  memcached: Held
  ratio: number
  /** The ratio of a server that spent no byte on anything but keys and values. */
  boundRatio: number
}

export interface ItemsOptions {
  contestants: Contestants
  log: (line: string) => void
}

const memoryMiB = 64
const keyBytes = 12
const requestsInFlight = 200
/** Half as many again as could ever fit. */
const overfill = 1.5

export async function runItemsPart(options: ItemsOptions): Promise<ItemsRow[]> {
  const rows: ItemsRow[] = []
  for (const valueBytes of [20, 100, 1000]) {
    const row = await measure(options.contestants, valueBytes)
    options.log(`${valueBytes} B: ${row.latchkey.readable} and ${row.memcached.readable} held, × ${row.ratio}`)
    rows.push(row)
  }
  return rows
}

async function measure(contestants: Contestants, valueBytes: number): Promise<ItemsRow> {
  const bound = Math.floor((memoryMiB * mebibyte) / (keyBytes + valueBytes))
  const inserted = Math.ceil(bound * overfill)
  const [latchkey, memcached] = await withBoth(contestants, { threads: 1, memoryMiB }, (...servers) =>
    Promise.all(servers.map((server) => fillAndCount(server, inserted, valueBytes))),
  )
  const ratio = round(latchkey.readable / memcached.readable)
  return { valueBytes, inserted, latchkey, memcached, ratio, boundRatio: round(bound / memcached.readable) }
}

async function fillAndCount(server: RunningServer, inserted: number, valueBytes: number): Promise<Held> {
  const wire = await Wire.open(server.port)
  const stored = await countReplies(wire, inserted, 'STORED\r\n', (batch, key) => batch.set(key, 0, valueBytes))
  if (stored !== inserted) throw new Error(`${server.name} refused ${inserted - stored} of ${inserted} sets`)
  const currItems = Number((await wire.stats()).get('curr_items'))
  const readable = await countReplies(wire, inserted, 'HD\r\n', (batch, key) => batch.read(key))
  wire.close()
  return { currItems, readable }
}

/** Sends one request for each of the keys, and counts the replies that are `wanted`. */
async function countReplies(
  wire: Wire,
  keys: number,
  wanted: string,
  add: (batch: BatchBuilder, key: string) => void,
): Promise<number> {
  const batch = new BatchBuilder()
  let count = 0
  for (let key = 0; key < keys; ) {
    for (; key < keys && batch.count < requestsInFlight; key++)
      add(batch, `k${String(key).padStart(keyBytes - 1, '0')}`)
    const lines = batch.count
    const reply = await wire.exchange(batch.take(), lines)
    count += occurrences(reply.toString('latin1'), wanted)
  }
  return count
}

function occurrences(text: string, wanted: string): number {
  return text.split(wanted).length - 1
}
