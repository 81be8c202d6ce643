import { setTimeout as sleep } from 'node:timers/promises'
import { BatchBuilder } from '../support/batch.js'
import type { RunningServer } from '../support/servers.js'
import { Wire } from '../support/wire.js'
import type { Trace } from './trace.js'

const requestsInFlight = 64
const letterE = 0x45

export interface Replayed {
  /** One ratio a server, in the order given. */
  missRatios: number[]
  /** Items held at the end, one count a server. */
  heldItems: number[]
  /** How far behind its schedule a paced replay fell, at worst. */
  lateMs: number
}

/**
 * Drives all servers through one trace in step, so that a second of life is the same number of requests for each.
 * Each reads through: what a batch missed is stored ahead of the next batch, on the same connection.
 */
export async function replay(trace: Trace, servers: readonly RunningServer[]): Promise<Replayed> {
  const readers = await Promise.all(servers.map(async (server) => new ReadThrough(await Wire.open(server.port), trace)))
  const startedAt = performance.now()
  let lateMs = 0
  for (let at = 0; at < trace.keys.length; at += requestsInFlight) {
    if (at % (requestsInFlight * 16) === 0) lateMs = Math.max(lateMs, await keepPace(trace, startedAt, at))
    const keys = trace.keys.subarray(at, at + requestsInFlight)
    await Promise.all(readers.map((reader) => reader.readThrough(keys, at >= trace.warmUp)))
  }
  const heldItems = await Promise.all(readers.map((reader) => reader.finish()))
  return { missRatios: readers.map((reader) => reader.misses / reader.counted), heldItems, lateMs: Math.round(lateMs) }
}

/** Waits while ahead of the trace's schedule; returns by how much it is behind. */
async function keepPace(trace: Trace, startedAt: number, at: number): Promise<number> {
  if (trace.requestsPerSecond === undefined) return 0
  const aheadMs = (at / trace.requestsPerSecond) * 1000 - (performance.now() - startedAt)
  if (aheadMs > 1) await sleep(aheadMs)
  return Math.max(0, -aheadMs)
}

class ReadThrough {
  misses = 0
  counted = 0
  readonly #batch = new BatchBuilder()

  constructor(
    readonly wire: Wire,
    readonly trace: Trace,
  ) {}

  async readThrough(keys: Uint32Array, counts: boolean): Promise<void> {
    const sets = this.#batch.count
    for (const key of keys) this.#batch.read(`key:${key}`)
    const reply = await this.wire.exchange(this.#batch.take(), sets + keys.length)
    // Every read is answered with four bytes, so they are the last of the reply, whatever the sets were answered.
    const first = reply.length - keys.length * 4
    if (first !== sets * 'STORED\r\n'.length) throw new Error(`unexpected: ${reply.toString('latin1', 0, 200)}`)
    for (let index = 0; index < keys.length; index++) {
      if (reply[first + index * 4] === letterE) this.#missed(keys[index], counts)
    }
    if (counts) this.counted += keys.length
  }

  #missed(key: number, counts: boolean): void {
    if (counts) this.misses++
    this.#batch.set(`key:${key}`, this.trace.ttlSeconds(key), this.trace.valueBytes(key))
  }

  async finish(): Promise<number> {
    const held = Number((await this.wire.stats()).get('curr_items'))
    this.wire.close()
    return held
  }
}
