import { type Contestants, withBoth } from '../support/servers.js'
import { round } from '../support/statistics.js'
import { replay } from './replay.js'
import { makeTrace, type TraceKind, type TraceSize } from './trace.js'

export interface MissRow {
  kind: TraceKind
  exponent: number
  latchkeyMissRatio: number
  memcachedMissRatio: number
  /** Latchkey's misses beyond memcached's, as a fraction of memcached's: −0.1 is 10 % fewer. */
  relativeDifference: number
  /** Items that memcached held at the end, as a fraction of the keys that are asked for again. */
  heldShare: number
  lateMs: number
}

export interface MissOptions {
  quick: boolean
  contestants: Contestants
  log: (line: string) => void
}

const kinds: readonly TraceKind[] = ['plain', 'mixed sizes', 'scans', 'TTLs']

export async function runMissPart(options: MissOptions): Promise<MissRow[]> {
  const rows: MissRow[] = []
  for (const exponent of options.quick ? [1] : [0.9, 1, 1.1]) {
    for (const kind of kinds) {
      const row = await measure(kind, exponent, options)
      options.log(
        `Zipf ${exponent} ${kind}: ${row.latchkeyMissRatio} and ${row.memcachedMissRatio} missed, ${(row.relativeDifference * 100).toFixed(1)} %`,
      )
      rows.push(row)
    }
  }
  return rows
}

async function measure(kind: TraceKind, exponent: number, options: MissOptions): Promise<MissRow> {
  const size: TraceSize = options.quick
    ? { distinctKeys: 500_000, requests: 800_000 }
    : { distinctKeys: 1_000_000, requests: 2_500_000 }
  const memoryMiB = options.quick ? 32 : 64
  const trace = makeTrace(kind, exponent, size)
  const { missRatios, heldItems, lateMs } = await withBoth(
    options.contestants,
    { threads: 1, memoryMiB },
    (...servers) => replay(trace, servers),
  )
  const [latchkey, memcached] = missRatios
  return {
    kind,
    exponent,
    latchkeyMissRatio: round(latchkey, 4),
    memcachedMissRatio: round(memcached, 4),
    relativeDifference: round(latchkey / memcached - 1),
    heldShare: round(heldItems[1] / size.distinctKeys),
    lateMs,
  }
}
