/** Counters of several threads, and `stats reset` in the midst of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metric, Metrics } from '#dist/server/metrics.js'

test('a reset makes sums begin again, and leaves what is open', () => {
  const main = Metrics.create(2)
  const [one, two] = [Metrics.attach(main.handle, 1), Metrics.attach(main.handle, 2)]
  one.add(Metric.BytesRead, 10)
  two.add(Metric.BytesRead, 5)
  two.add(Metric.CurrConnections, 3)
  assert.equal(main.sum(Metric.BytesRead), 15)
  one.reset()
  two.add(Metric.BytesRead, 2)
  for (const each of [main, one, two]) {
    assert.equal(each.sum(Metric.BytesRead), 2)
    assert.equal(each.sum(Metric.CurrConnections), 3)
  }
  main.reset()
  assert.equal(two.sum(Metric.BytesRead), 0)
})

test('a reset writes to no row that a thread may just be counting in', () => {
  const main = Metrics.create(2)
  const worker = Metrics.attach(main.handle, 2)
  for (const metric of Object.values(Metric)) worker.add(metric, 7)
  const rows = new Float64Array(main.handle.rows)
  const before = rows.filter((cell) => cell !== 0).length
  main.reset()
  assert.deepEqual([...rows.filter((cell) => cell === 7)].length, before * 2 - 1, 'the row, and its copy as baseline')
  worker.forgetConnections(2)
  assert.equal(main.sum(Metric.CurrConnections), 0)
})
