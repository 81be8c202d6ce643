import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HandOverRow } from '../../bench/locks/hand-over.js'
import type { HotRow } from '../../bench/locks/hot.js'
import type { LocksResult } from '../../bench/locks/part.js'
import { upkeepShares } from '../../bench/locks/renewing.js'
import { uncontendedRows } from '../../bench/locks/uncontended.js'
import { lockRows, lockTables } from '../../bench/report/locks.js'
import type { Span } from '../../bench/support/span.js'

const mine = 'Latchkey, fenced'
const second = 1e9
const nothing: LocksResult = { uncontended: [], handOver: [], hot: [], renewing: [] }

function span(operations: number): Span {
  const busy = { wallNs: second, clientCpuNs: second / 2, serverCpuNs: second / 4, foreignCpuNs: 0 }
  return { operations, ...busy, p50Ms: 1, p99Ms: 2 }
}

const spans = (...operations: number[]) => operations.map(span)
const uncontended = (names: number, ours: number, ...theirs: number[]) =>
  uncontendedRows(names, [
    { name: mine, spans: spans(ours) },
    { name: 'embedded, fenced', spans: spans(1e6) },
    ...theirs.map((count, at) => ({ name: ['redlock', 'redis-semaphore'][at], spans: spans(count) })),
  ])

const handOver = (name: string, waiters: number, p50Ms: number, overtakenMax = 0): HandOverRow => ({
  ...{ name, waiters, rounds: 1, p50Ms, p99Ms: 2 * p50Ms },
  ...{ inOrderShare: 1, overtakenMax, lastMsMax: waiters },
})

const hot = (name: string, waiters: number, handOversPerSecond: number): HotRow => ({
  ...{ name, waiters, handOversPerSecond },
  ...{ acquiredPerSecond: handOversPerSecond, fewestPerSecond: 0, mostPerSecond: 1 },
})

/** By the first words of each target, what became of it. */
function verdictOf(what: string, data: Partial<LocksResult> | undefined): string {
  const machine = { cpu: '', cores: 2, memoryGiB: 1, kernel: '', node: '', memcached: '', commit: '' }
  const locks = { measuredAt: '', quick: true, machine, data: { ...nothing, ...data } }
  const found = lockRows(data === undefined ? {} : { locks }).find((row) => row.what.startsWith(what))
  assert.ok(found, what)
  return found.verdict
}

test('ratios of the uncontended runs are taken within repeats', () => {
  const rows = uncontendedRows(1, [
    { name: mine, spans: spans(100, 10, 1) },
    { name: 'redlock', spans: spans(50, 5, 2) },
  ])
  assert.deepEqual(
    rows.map(({ name, oursTimes, opsPerSecond }) => [name, oursTimes, opsPerSecond]),
    [
      [mine, 1, 10],
      ['redlock', 2, 5],
    ],
  )
})

test('uncontended, the fastest peer decides, and what is ours does not', () => {
  const what = 'acquire and release, one at a time'
  assert.equal(verdictOf(what, { uncontended: uncontended(1, 200, 50, 100) }), 'wanted')
  assert.equal(verdictOf(what, { uncontended: uncontended(1, 199, 50, 100) }), 'reached')
  assert.equal(verdictOf(what, { uncontended: uncontended(1, 99, 50, 100) }), 'missed')
  assert.equal(verdictOf(what, { uncontended: uncontended(64, 99, 50, 100) }), 'not measured')
})

test('a hand-over must be soon, and ten times sooner than the soonest peer', () => {
  const of = (ms: number, peerMs: number) => [
    handOver(mine, 10, ms),
    handOver('redlock', 10, 1000),
    handOver('redis-semaphore', 10, peerMs),
  ]
  const what = 'hand-over on Latchkey, 10 waiting'
  assert.equal(verdictOf(what, { handOver: of(1, 10) }), 'reached')
  assert.equal(verdictOf(what, { handOver: of(1.1, 100) }), 'missed')
  assert.equal(verdictOf(what, { handOver: of(1, 9.9) }), 'missed')
  assert.equal(verdictOf('hand-over on Latchkey, 100 waiting', { handOver: of(1, 10) }), 'not measured')
})

test('one overtaking misses the order, whoever else is overtaken', () => {
  const what = 'order of hand-overs on Latchkey'
  assert.equal(verdictOf(what, { handOver: [handOver(mine, 2, 1), handOver('redlock', 2, 1, 5)] }), 'reached')
  assert.equal(verdictOf(what, { handOver: [handOver(mine, 2, 1), handOver(mine, 10, 1, 1)] }), 'missed')
})

test('a hot lock wants ten thousand hand-overs, and must not be slower than a peer', () => {
  const of = (count: number, peer: number) => ({ hot: [hot(mine, 100, count), hot('redlock', 100, peer)] })
  const what = 'hand-overs a second of one hot lock on Latchkey, 100 waiting'
  assert.equal(verdictOf(what, of(10_000, 1)), 'wanted')
  assert.equal(verdictOf(what, of(9999, 9999)), 'reached')
  assert.equal(verdictOf(what, of(9999, 10_000)), 'missed')
})

test('what was not measured says so', () => {
  for (const { verdict } of lockRows({})) assert.equal(verdict, 'not measured')
})

test('upkeep is a share of one core, beside that of nothing held', () => {
  const of = (clientCpuNs: number, serverCpuNs: number, lost: number) => ({
    ...{ wallNs: second, clientCpuNs, serverCpuNs, lost },
  })
  assert.deepEqual(upkeepShares(of(second / 10, second / 20, 3), of(second / 100, 0, 0)), {
    clientCpuShare: 0.1,
    serverCpuShare: 0.05,
    idleClientCpuShare: 0.01,
    idleServerCpuShare: 0,
    lost: 3,
  })
})

test('every table has a cell for every head', () => {
  const renewing = {
    ...{ name: mine, renewal: 'every third', locks: 10_000, ttlMs: 30_000, watchedMs: 30_000, lost: 0 },
    ...{ clientCpuShare: 0.01, serverCpuShare: 0.01, idleClientCpuShare: 0, idleServerCpuShare: 0 },
  }
  const data = {
    uncontended: uncontended(1, 200, 100),
    handOver: [handOver(mine, 2, 1)],
    hot: [hot(mine, 10, 1)],
    renewing: [renewing],
  }
  for (const [heads, rows] of lockTables(data)) for (const row of rows) assert.equal(row.length, heads.length)
})
