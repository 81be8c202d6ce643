import { contenders, ours } from '../locks/contenders.js'
import type { HandOverRow } from '../locks/hand-over.js'
import type { HotRow } from '../locks/hot.js'
import type { LocksResult } from '../locks/part.js'
import type { RenewingRow } from '../locks/renewing.js'
import type { UncontendedRow } from '../locks/uncontended.js'
import type { Results } from './results.js'
import { type TargetRow, times, verdict } from './verdict.js'

const handOverMs = 1
const soonerTimes = 10
const hotPerSecond = 10_000

export function lockRows({ locks }: Results): TargetRow[] {
  const data = locks?.data
  return [
    ...[1, 64].map((names) => uncontendedRow(names, data?.uncontended ?? [])),
    ...[2, 10, 100].map((waiters) => handOverRow(waiters, data?.handOver ?? [])),
    orderRow(data?.handOver ?? []),
    ...[10, 100].map((waiters) => hotRow(waiters, data?.hot ?? [])),
  ]
}

function isPeer({ name }: { name: string }): boolean {
  return contenders.some((contender) => contender.name === name && contender.home === 'redis')
}

const unmeasured = { measured: '', verdict: 'not measured' }

function uncontendedRow(names: number, rows: readonly UncontendedRow[]): TargetRow {
  const what = `acquire and release, ${names === 1 ? 'one at a time' : `${names} names at once`}`
  const base = { what, must: '1 × the fastest peer', wants: '2 ×' }
  const peers = rows.filter((row) => row.names === names && isPeer(row))
  if (peers.length === 0) return { ...base, ...unmeasured }
  const hardest = peers.reduce((one, other) => (other.oursTimes < one.oursTimes ? other : one))
  return {
    ...base,
    measured: `${times(hardest.oursTimes)} ${hardest.name}`,
    verdict: verdict(hardest.oursTimes, 1, 2),
  }
}

function handOverRow(waiters: number, rows: readonly HandOverRow[]): TargetRow {
  const what = `hand-over on Latchkey, ${waiters} waiting, p50`
  const base = { what, must: `${handOverMs} ms, and ${soonerTimes} × sooner than the best peer`, wants: '' }
  const [mine, peers] = split(rows, waiters)
  if (mine === undefined || peers.length === 0) return { ...base, ...unmeasured }
  const best = peers.reduce((one, other) => (other.p50Ms < one.p50Ms ? other : one))
  const ratio = best.p50Ms / mine.p50Ms
  const reached = mine.p50Ms <= handOverMs && ratio >= soonerTimes
  const measured = `${mine.p50Ms} ms; ${best.name} ${best.p50Ms} ms, ${times(ratio)}`
  return { ...base, measured, verdict: reached ? 'reached' : 'missed' }
}

function orderRow(rows: readonly HandOverRow[]): TargetRow {
  const base = { what: 'order of hand-overs on Latchkey', must: 'nobody is overtaken', wants: '' }
  const mine = rows.filter(({ name }) => name === ours)
  if (mine.length === 0) return { ...base, ...unmeasured }
  const overtaken = Math.max(...mine.map(({ overtakenMax }) => overtakenMax))
  const measured = overtaken === 0 ? 'all went to who had waited longest' : `overtaken by up to ${overtaken}`
  return { ...base, measured, verdict: overtaken === 0 ? 'reached' : 'missed' }
}

function hotRow(waiters: number, rows: readonly HotRow[]): TargetRow {
  const what = `hand-overs a second of one hot lock on Latchkey, ${waiters} waiting`
  const base = { what, must: '1 × the best peer', wants: hotPerSecond.toLocaleString('en-US') }
  const [mine, peers] = split(rows, waiters)
  if (mine === undefined || peers.length === 0) return { ...base, ...unmeasured }
  const best = peers.reduce((one, other) => (other.handOversPerSecond > one.handOversPerSecond ? other : one))
  const measured = `${perSecond(mine.handOversPerSecond)}; ${best.name} ${perSecond(best.handOversPerSecond)}`
  const reached = mine.handOversPerSecond >= best.handOversPerSecond ? 'reached' : 'missed'
  return { ...base, measured, verdict: mine.handOversPerSecond >= hotPerSecond ? 'wanted' : reached }
}

function split<Row extends { name: string; waiters: number }>(
  rows: readonly Row[],
  waiters: number,
): [mine: Row | undefined, peers: Row[]] {
  const cell = rows.filter((row) => row.waiters === waiters)
  return [cell.find(({ name }) => name === ours), cell.filter(isPeer)]
}

type Table = [heads: string[], rows: string[][]]

export function lockTables({ uncontended, handOver, hot, renewing }: LocksResult): Table[] {
  return [uncontendedTable(uncontended), handOverTable(handOver), hotTable(hot), renewingTable(renewing)]
}

function uncontendedTable(rows: readonly UncontendedRow[]): Table {
  return [
    ['names', 'locks', 'acquire + release k/s', 'client µs', 'p50 ms', 'p99 ms', 'server busy', `${ours} is`],
    rows.map((row) => [
      String(row.names),
      row.name,
      (row.opsPerSecond / 1000).toPrecision(3),
      String(row.cpuMicrosPerOp),
      String(row.p50Ms),
      String(row.p99Ms),
      percent(row.serverCpuShare),
      row.name === ours ? '' : times(row.oursTimes),
    ]),
  ]
}

function handOverTable(rows: readonly HandOverRow[]): Table {
  return [
    [
      'waiting',
      'locks',
      'hand-over p50 ms',
      'p99 ms',
      'to the longest waiter',
      'overtaken by at most',
      'last had it after ms',
    ],
    rows.map((row) => [
      String(row.waiters),
      row.name,
      String(row.p50Ms),
      String(row.p99Ms),
      percent(row.inOrderShare),
      String(row.overtakenMax),
      String(row.lastMsMax),
    ]),
  ]
}

function hotTable(rows: readonly HotRow[]): Table {
  return [
    ['waiting', 'locks', 'hand-overs/s', 'acquisitions/s', 'fewest a waiter/s', 'most a waiter/s'],
    rows.map((row) => [
      String(row.waiters),
      row.name,
      perSecond(row.handOversPerSecond),
      perSecond(row.acquiredPerSecond),
      String(row.fewestPerSecond),
      String(row.mostPerSecond),
    ]),
  ]
}

function renewingTable(rows: readonly RenewingRow[]): Table {
  return [
    ['held', 'locks', 'renews', 'lease s', 'client CPU', 'server CPU', 'client idle', 'server idle', 'lost'],
    rows.map((row) => [
      row.locks.toLocaleString('en-US'),
      row.name,
      row.renewal,
      String(row.ttlMs / 1000),
      ofCore(row.clientCpuShare),
      ofCore(row.serverCpuShare),
      ofCore(row.idleClientCpuShare),
      ofCore(row.idleServerCpuShare),
      String(row.lost),
    ]),
  ]
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

/** Finer, since what renews is nearly idle. */
function ofCore(share: number): string {
  return `${(share * 100).toFixed(2)} %`
}

function perSecond(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}
