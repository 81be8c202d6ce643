import type { QuorumRow } from '../quorum/part.js'
import type { Results } from './results.js'
import { type TargetRow, times } from './verdict.js'

/** Of one server's latency. */
const must = 1.3
const kinds = ['quorum of 3 Latchkeys', 'quorum of 5 Latchkeys', 'quorum of 3 memcacheds']

/** One at a time: with many at once it is the processors that are measured, not the protocol. */
export function quorumRows({ quorum }: Results): TargetRow[] {
  const rows = (quorum?.data ?? []).filter(({ names }) => names === 1)
  return kinds.flatMap((kind) => {
    const row = (delayMs: number) => rows.find((each) => each.name === kind && each.delayMs === delayMs)
    return [row(1), row(0)].flatMap((one) => (one === undefined ? [] : [targetRow(one)]))
  })
}

function targetRow({ name, delayMs, timesSingle, p50Ms }: QuorumRow): TargetRow {
  const where = delayMs === 0 ? 'on the loopback' : `${delayMs} ms away`
  return {
    what: `acquire and release, ${name}, ${where}`,
    must: `at most ${must} × one server`,
    wants: '',
    measured: `${times(timesSingle)} (${p50Ms} ms)`,
    verdict: timesSingle <= must ? 'reached' : 'missed',
  }
}

export function quorumTable(rows: readonly QuorumRow[]): [heads: string[], rows: string[][]] {
  return [
    ['added', 'names', 'locks', 'acquire + release p50 ms', 'p99 ms', 'acquire p50 ms', 'client µs', 'of one server'],
    rows.map((row) => [
      `${row.delayMs} ms`,
      String(row.names),
      row.name,
      String(row.p50Ms),
      String(row.p99Ms),
      String(row.acquireP50Ms),
      String(row.cpuMicrosPerOp),
      row.timesSingle === 1 ? '' : times(row.timesSingle),
    ]),
  ]
}
