import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cellsToRun, manyKeys } from '../../bench/client/cells.js'
import { callFor } from '../../bench/client/loops.js'
import type { Subject, Value } from '../../bench/client/subjects/subject.js'
import { Values, Workload } from '../../bench/client/workload.js'
import { keepBusy } from '../../bench/support/keep-busy.js'
import { percentile } from '../../bench/support/statistics.js'

const work = new Workload('test')
const values = new Values('text', 100)
const cell = { concurrency: 4, valueBytes: 100 }

/** Answers everything from `answer`, which may lie. */
function fake(answer: (item: number) => Value | undefined, stored = true): Subject {
  const itemOf = (key: string) => Number(key.split(':')[1])
  return {
    get: async (key) => answer(itemOf(key)),
    valueOf: (reply) => reply as Value | undefined,
    set: async () => stored,
    stored: (reply) => reply === true,
    getMany: async (keys) => new Map(keys.map((key) => [key, answer(itemOf(key))])),
    valueIn: (reply, key) => (reply as Map<string, Value>).get(key),
  }
}

const busy = (operation: 'get' | 'set' | 'getMany', subject: Subject) =>
  keepBusy(callFor({ ...cell, operation }, subject, work, values), cell.concurrency, 20)

test('honest replies are counted, each with its time', async () => {
  const honest = fake((item) => values.of(item))
  for (const operation of ['get', 'set', 'getMany'] as const) {
    const latenciesMs = await busy(operation, honest)
    assert.ok(latenciesMs.length > cell.concurrency, `${latenciesMs.length} calls`)
    assert.ok(latenciesMs.every((ms) => ms >= 0))
  }
})

const lies: [string, Subject, RegExp][] = [
  ['a miss', fake(() => undefined), /was missed/],
  ['a short value', fake((item) => values.of(item).slice(1)), /99 bytes/],
  ["another item's value", fake((item) => values.of(item + 1)), /wrong value/],
]

for (const [what, subject, message] of lies) {
  test(`${what} ends the run`, async () => {
    await assert.rejects(busy('get', subject), message)
    await assert.rejects(busy('getMany', subject), message)
  })
}

test('a refused set ends the run', async () => {
  const refusing = fake((item) => values.of(item), false)
  await assert.rejects(busy('set', refusing), /not stored/)
})

test('as many calls are under way as there are loops', async () => {
  let underWay = 0
  let most = 0
  const send = async () => {
    most = Math.max(most, ++underWay)
    await new Promise((resolve) => setTimeout(resolve, 1))
    underWay--
  }
  await keepBusy({ send, check: () => {} }, 7, 20)
  assert.equal(most, 7)
})

test('bytes and text are the same values, and of a kind of their own', () => {
  const bytes = new Values('bytes', 100)
  assert.equal(String(bytes.of(3)), values.of(3))
  assert.throws(() => bytes.check(3, values.of(3), true), /wrong value/)
  bytes.check(3, Buffer.from(bytes.of(3) as Uint8Array), true)
})

test('the keys of one getMany are distinct', () => {
  for (const { keys } of work.lists) assert.equal(new Set(keys).size, manyKeys)
})

test('a full run has every combination once', () => {
  const cells = cellsToRun(false).map((one) => JSON.stringify(one))
  assert.equal(cells.length, 22)
  assert.equal(new Set(cells).size, cells.length)
})

test('percentiles are the nearest rank', () => {
  const sorted = Float64Array.from({ length: 200 }, (_, at) => at + 1)
  assert.equal(percentile(sorted, 50), 100)
  assert.equal(percentile(sorted, 99), 198)
  assert.equal(percentile([7], 99), 7)
})
