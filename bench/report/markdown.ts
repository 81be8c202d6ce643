import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { IdleRow } from '../idle/part.js'
import { type CaseResult, honestRatio } from '../server/measure.js'
import { geometricMean } from '../support/statistics.js'
import { clientHeads, clientTable } from './client.js'
import { lockTables } from './locks.js'
import { quorumTable } from './quorum.js'
import { benchFolder, type Measured, type Results } from './results.js'
import { targetRows } from './targets.js'

const begin = '<!-- results: begin (written by npm run bench) -->'
const end = '<!-- results: end -->'

/** Puts the tables between the two markers of bench/README.md, and leaves the rest alone. */
export function writeTables(results: Results): void {
  const file = join(benchFolder, 'README.md')
  const text = readFileSync(file, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`${file} has lost its two markers`)
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n\n${tables(results)}\n\n${text.slice(to)}`)
}

export function tables(results: Results): string {
  const sections = [targetTable(results), provenance(results), calibrationLine(results)]
  if (results.server !== undefined) sections.push(caseTable(results.server.data.cases))
  if (results.binary !== undefined) sections.push(caseTable(results.binary.data.cases))
  if (results.tls !== undefined) sections.push('Over TLS:', caseTable(results.tls.data.cases))
  if (results.idle !== undefined) sections.push(idleTable(results.idle.data))
  if (results.store !== undefined) sections.push(storeTable(results))
  if (results.misses !== undefined) sections.push(missTable(results))
  if (results.client !== undefined) sections.push(table(clientHeads, clientTable(results.client.data.cells)))
  if (results.locks !== undefined)
    sections.push(...lockTables(results.locks.data).map(([heads, rows]) => table(heads, rows)))
  if (results.quorum !== undefined) sections.push(table(...quorumTable(results.quorum.data)))
  return sections.filter((section) => section !== '').join('\n\n')
}

export function targetTable(results: Results): string {
  const rows = targetRows(results).map(({ what, must, wants, measured, verdict }) => [
    what,
    must,
    wants,
    measured,
    verdict,
  ])
  return table(['what', 'must reach', 'wants', 'measured', 'verdict'], rows)
}

function provenance(results: Results): string {
  const parts = Object.entries(results) as [string, Measured<unknown>][]
  return parts
    .map(([name, { measuredAt, quick, machine }]) => {
      const { cpu, cores, memoryGiB, kernel, node, memcached, redis, commit } = machine
      const peer = name === 'locks' ? `, Redis ${redis}` : ''
      const how = quick ? 'a quick run' : 'a full run'
      return `- ${name}: ${how} of ${commit}, ${measuredAt}, ${cpu}, ${cores} cores, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}, memcached ${memcached}${peer}`
    })
    .join('\n')
}

function calibrationLine({ calibration }: Results): string {
  if (calibration === undefined) return ''
  const ratios = calibration.data.cases.map(honestRatio)
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2))
  return `memcached against itself, measured the same way: ${geometricMean(ratios).toFixed(3)} on average, ${low} to ${high} over ${ratios.length} cases.`
}

function caseTable(cases: readonly CaseResult[]): string {
  const rows = cases.map((one) => [
    `\`${one.operation}\``,
    String(one.depth),
    String(one.valueBytes),
    one.distribution,
    thousands(one.latchkey.opsPerSecond),
    thousands(one.memcached.opsPerSecond),
    one.throughputRatio.toFixed(2),
    one.latchkey.cpuMicrosPerOp.toFixed(2),
    one.memcached.cpuMicrosPerOp.toFixed(2),
    one.cpuRatio.toFixed(2),
    one.distortedBy === 'nobody' ? '' : one.distortedBy,
  ])
  const heads = ['operation', 'in flight', 'bytes', 'keys', 'Latchkey k/s', 'memcached k/s', 'ratio']
  return table([...heads, 'Latchkey µs', 'memcached µs', 'CPU ratio', 'distorted by'], rows)
}

function idleTable(rows: readonly IdleRow[]): string {
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`
  return table(
    ['idle connections', 'server', 'CPU', 'with none', 'resident MiB', 'with none', 'KiB each'],
    rows.map((row) => [
      `${row.connections.toLocaleString('en-US')}${row.tls ? ' over TLS' : ''}`,
      row.server,
      percent(row.cpuShareIdle),
      percent(row.cpuShareEmpty),
      String(row.residentIdleMiB),
      String(row.residentEmptyMiB),
      String(row.kibibytesAConnection),
    ]),
  )
}

function storeTable({ store }: Results): string {
  const rows = store!.data.rows.map((row) => [
    row.level,
    `\`${row.operation}\``,
    row.oneThread.toFixed(2),
    row.ofBound.toFixed(2),
    row.twoThreads.toFixed(2),
    row.scaling.toFixed(2),
  ])
  return table(['level', 'operation', 'million/s, one thread', 'of raw', 'two threads', 'ratio'], rows)
}

function missTable({ misses }: Results): string {
  const rows = misses!.data.map((row) => [
    row.kind,
    String(row.exponent),
    row.latchkeyMissRatio.toFixed(4),
    row.memcachedMissRatio.toFixed(4),
    `${(row.relativeDifference * 100).toFixed(1)} %`,
    `${Math.round(row.heldShare * 100)} %`,
  ])
  return table(
    ['trace', 'Zipf', 'Latchkey misses', 'memcached misses', 'difference', 'keys that memcached holds'],
    rows,
  )
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function thousands(opsPerSecond: number): string {
  return Math.round(opsPerSecond / 1000).toLocaleString('en-US')
}
