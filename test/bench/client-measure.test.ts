import assert from 'node:assert/strict'
import { test } from 'node:test'
import { believedRatio, cellResult, type Runs } from '../../bench/client/measure.js'
import { clientRows, clientTable } from '../../bench/report/client.js'
import type { Results } from '../../bench/report/results.js'
import type { Span } from '../../bench/support/span.js'

const cell = { operation: 'get', concurrency: 64, valueBytes: 100 } as const
const second = 1e9

function span(operations: number, changes: Partial<Span> = {}): Span {
  const busy = { wallNs: second, clientCpuNs: second, serverCpuNs: second / 2, foreignCpuNs: 0 }
  return { operations, ...busy, p50Ms: 1, p99Ms: 2, ...changes }
}

function runs(
  client: string,
  values: 'bytes' | 'text',
  operations: number[],
  changes?: Partial<Span>,
  name = client,
): Runs {
  return { contender: { name, client, values }, spans: operations.map((count) => span(count, changes)) }
}

const bytes = (...operations: number[]) => runs('Latchkey', 'bytes', operations, {}, 'Latchkey, bytes')
const text = (...operations: number[]) => runs('Latchkey', 'text', operations, {}, 'Latchkey, text')

test('every peer is compared with the Latchkey that handles the same kind of values', () => {
  const { duels } = cellResult(cell, [bytes(800), text(300), runs('a', 'bytes', [200]), runs('b', 'text', [150])])
  assert.deepEqual(
    duels.map(({ peer, latchkey, throughputRatio }) => [peer, latchkey, throughputRatio]),
    [
      ['b', 'Latchkey, text', 2],
      ['a', 'Latchkey, bytes', 4],
    ],
  )
})

test('a peer counts in the better of its settings', () => {
  const two = [runs('a', 'text', [100, 110, 120], {}, 'a ×1'), runs('a', 'text', [90, 220, 230], {}, 'a ×10')]
  const { duels, figures } = cellResult(cell, [bytes(1, 1, 1), text(440, 440, 440), ...two])
  assert.equal(duels.length, 1)
  assert.equal(duels[0].peer, 'a ×10')
  assert.equal(duels[0].throughputRatio, 2)
  assert.equal(figures.length, 4)
})

test('ratios are taken within repeats', () => {
  const { duels } = cellResult(cell, [bytes(100, 10, 1), text(1, 1, 1), runs('a', 'bytes', [50, 5, 2])])
  assert.equal(duels[0].throughputRatio, 2)
  assert.deepEqual(duels[0].throughputQuartiles, [0.5, 2])
})

const distortions: [string, Partial<Span>, Partial<Span>, string, number][] = [
  ['both clients are busy', {}, {}, 'nobody', 2],
  ['the server is full', { clientCpuNs: second / 4, serverCpuNs: 0.96 * second }, {}, 'server', 8],
  ['the server is full, the client too', { serverCpuNs: 0.96 * second }, {}, 'nobody', 2],
  ['others take their part', {}, { clientCpuNs: second / 2, foreignCpuNs: second / 2 }, 'other processes', 1],
  ['they wait for one reply', { clientCpuNs: second / 4 }, { clientCpuNs: second / 4 }, 'nobody', 2],
]

for (const [what, latchkey, peer, distortedBy, believed] of distortions) {
  test(`when ${what}, the ratio to believe is ${believed}`, () => {
    const all = [runs('Latchkey', 'bytes', [200], latchkey), runs('a', 'bytes', [100], peer)]
    const [duel] = cellResult(cell, all).duels
    assert.equal(duel.distortedBy, distortedBy)
    assert.equal(believedRatio(duel), believed)
  })
}

function resultsOf(...ratios: [concurrency: number, ratio: number][]): Results {
  const cells = ratios.map(([concurrency, ratio]) =>
    cellResult({ ...cell, concurrency }, [
      bytes(100 * ratio),
      text(1),
      runs('easy', 'bytes', [10]),
      runs('best', 'bytes', [100]),
    ]),
  )
  const machine = { cpu: '', cores: 2, memoryGiB: 1, kernel: '', node: '', memcached: '', commit: '' }
  return { client: { measuredAt: '', quick: true, machine, data: { server: 'memcached', threads: 2, cells } } }
}

function verdictsOf(results: Results): Record<string, string> {
  return Object.fromEntries(clientRows(results).map(({ what, verdict }) => [what, verdict]))
}

test('a verdict goes by the best peer of the worst cell', () => {
  const many = 'client, `get`, 64 calls at once and more'
  assert.equal(verdictsOf(resultsOf([64, 7], [256, 6]))[many], 'wanted')
  assert.equal(verdictsOf(resultsOf([64, 7], [256, 3]))[many], 'reached')
  assert.equal(verdictsOf(resultsOf([64, 7], [256, 2.9]))[many], 'missed')
  assert.equal(verdictsOf(resultsOf([16, 0.1], [64, 7]))[many], 'wanted')
})

test('one call at a time has a target of its own, and what was not measured says so', () => {
  const verdicts = verdictsOf(resultsOf([1, 0.99]))
  assert.equal(verdicts['client, one `get` at a time'], 'missed')
  assert.equal(verdicts['client, one `set` at a time'], 'not measured')
  assert.equal(verdictsOf(resultsOf([1, 1]))['client, one `get` at a time'], 'wanted')
})

test('the table has Latchkey, and every peer in its better setting', () => {
  const two = [runs('a', 'text', [100], {}, 'a ×1'), runs('a', 'text', [220], {}, 'a ×10')]
  const rows = clientTable([cellResult(cell, [bytes(500), text(440), ...two])])
  assert.deepEqual(
    rows.map((row) => [row[3], row[9]]),
    [
      ['Latchkey, bytes', ''],
      ['Latchkey, text', ''],
      ['a ×10', '2.00 ×'],
    ],
  )
})
