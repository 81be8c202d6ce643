import type { Operation } from '../client/cells.js'
import { ours } from '../client/contenders.js'
import { believedRatio, type CellResult, type Duel, type Figures } from '../client/measure.js'
import type { StampedeRow } from '../stampede/measure.js'
import { geometricMean } from '../support/statistics.js'
import type { Results } from './results.js'
import { type TargetRow, times, verdict } from './verdict.js'

interface ClientTarget {
  what: string
  matches: (one: CellResult) => boolean
  must: number
  wants: number
}

const operations: readonly Operation[] = ['get', 'set', 'getMany']

const clientTargets: readonly ClientTarget[] = [
  ...operations.map((operation) => ({
    what: `client, \`${operation}\`, 64 calls at once and more`,
    matches: (one: CellResult) => one.operation === operation && one.concurrency >= 64,
    must: 3,
    wants: 6,
  })),
  ...operations.map((operation) => ({
    what: `client, one \`${operation}\` at a time`,
    matches: (one: CellResult) => one.operation === operation && one.concurrency === 1,
    must: 1,
    wants: 1,
  })),
]

/** By the hardest duel of every cell, which is the one with the best peer. */
export function clientRows({ client }: Results): TargetRow[] {
  return clientTargets.map(({ what, matches, must, wants }) => {
    const base = { what, must: `${must} × the best peer`, wants: `${wants} ×` }
    const ratios = (client?.data.cells ?? []).filter(matches).map((one) => believedRatio(one.duels[0]))
    if (ratios.length === 0) return { ...base, measured: '', verdict: 'not measured' }
    const worst = Math.min(...ratios)
    const measured = `${times(geometricMean(ratios))} (${times(worst)} to ${times(Math.max(...ratios))})`
    return { ...base, measured, verdict: verdict(worst, must, wants) }
  })
}

export function stampedeRows({ stampede }: Results): TargetRow[] {
  return ['latchkey', 'memcached'].map((server) => {
    const base = {
      what: `\`fetch\` of a cold key on ${server}, 200 callers in 4 processes`,
      must: 'computed once',
      wants: '',
    }
    const row = stampede?.data.find((one) => one.server === server)
    if (row === undefined) return { ...base, measured: '', verdict: 'not measured' }
    return { ...base, measured: stampedeWords(row), verdict: row.failedRounds === 0 ? 'reached' : 'missed' }
  })
}

function stampedeWords(row: StampedeRow): string {
  const often = row.computedMax === 1 ? 'once' : `up to ${row.computedMax} times`
  const failures = row.failedRounds === 0 ? '' : `; **${row.failedRounds} of ${row.rounds} rounds failed**`
  return `${often} in ${row.rounds} rounds; the last caller had it after ${row.lastMsMedian} ms (at most ${row.lastMsMax}), ${row.computeMs} of them computing${failures}`
}

export const clientHeads = [
  ...['operation', 'at once', 'bytes', 'client', 'k/s', 'µs', 'p50 ms', 'p99 ms', 'server busy'],
  ...['Latchkey is', 'CPU ratio', 'distorted by'],
]

/** A row a client and cell: a peer in the better of its settings, Latchkey with bytes and with text. */
export function clientTable(cells: readonly CellResult[]): string[][] {
  return cells.flatMap((cell) =>
    cell.figures
      .filter(({ name, client }) => client === ours || cell.duels.some(({ peer }) => peer === name))
      .map((figures) => [
        ...cellWords(cell, figures),
        ...duelWords(cell.duels.find(({ peer }) => peer === figures.name)),
      ]),
  )
}

function cellWords({ operation, concurrency, valueBytes }: CellResult, figures: Figures): string[] {
  return [
    `\`${operation}\``,
    String(concurrency),
    String(valueBytes),
    figures.name,
    (figures.opsPerSecond / 1000).toPrecision(3),
    String(figures.cpuMicrosPerOp),
    String(figures.p50Ms),
    String(figures.p99Ms),
    `${Math.round(figures.serverCpuShare * 100)} %`,
  ]
}

function duelWords(duel: Duel | undefined): string[] {
  if (duel === undefined) return ['', '', '']
  const { throughputRatio, cpuRatio, distortedBy } = duel
  return [times(throughputRatio), times(cpuRatio), distortedBy === 'nobody' ? '' : distortedBy]
}
