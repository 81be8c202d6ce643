import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stampedeRows } from '../../bench/report/client.js'
import type { Results } from '../../bench/report/results.js'
import { type Rush, stampedeRow } from '../../bench/stampede/measure.js'

const head = { server: 'latchkey', processes: 2, callers: 100, computeMs: 100 }
const rush = (computed: number, lastMs: number, ...values: string[]): Rush => ({ computed, lastMs, values })
const good = [rush(1, 110, 'a'), rush(0, 120, 'a')]

function verdictOf(...rounds: Rush[][]): string {
  const machine = { cpu: '', cores: 2, memoryGiB: 1, kernel: '', node: '', memcached: '', commit: '' }
  const results: Results = { stampede: { measuredAt: '', quick: true, machine, data: [stampedeRow(head, rounds)] } }
  return stampedeRows(results)[0].verdict
}

test('a stampede lasts until the last caller of all processes has its value', () => {
  const row = stampedeRow(head, [good, [rush(0, 105, 'b'), rush(1, 104, 'b')], [rush(0, 180, 'c'), rush(1, 130, 'c')]])
  assert.deepEqual([row.rounds, row.lastMsMedian, row.lastMsMax], [3, 120, 180])
  assert.deepEqual([row.computedMax, row.failedRounds], [1, 0])
})

test('one round in which it was computed twice, or not at all, misses the target', () => {
  assert.equal(verdictOf(good, good), 'reached')
  assert.equal(verdictOf(good, [rush(1, 110, 'a'), rush(1, 120, 'a')]), 'missed')
  assert.equal(verdictOf(good, [rush(0, 110, 'a'), rush(0, 120, 'a')]), 'missed')
})

test('callers that were given different values miss the target', () => {
  assert.equal(verdictOf([rush(1, 110, 'a'), rush(0, 120, 'b')]), 'missed')
  assert.equal(verdictOf([rush(1, 110, 'a', 'b'), rush(0, 120, 'a')]), 'missed')
})

test('a server that was not measured has a row that says so', () => {
  assert.deepEqual(
    stampedeRows({}).map(({ verdict }) => verdict),
    ['not measured', 'not measured'],
  )
})
