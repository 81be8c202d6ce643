import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QuorumRow } from '../../bench/quorum/part.js'
import { quorumRows } from '../../bench/report/quorum.js'
import type { Results } from '../../bench/report/results.js'

function rowOf(name: string, names: number, delayMs: number, timesSingle: number): QuorumRow {
  const figures = { opsPerSecond: 1, cpuMicrosPerOp: 1, p50Ms: 3, p99Ms: 4, acquireP50Ms: 2 }
  const shares = { clientCpuShare: 0, serverCpuShare: 0, foreignCpuShare: 0 }
  return { name, names, delayMs, timesSingle, ...figures, ...shares }
}

test('a quorum is held to 1.3 times one server, with one lock at a time, far away and near', () => {
  const data = [
    rowOf('quorum of 3 Latchkeys', 1, 0, 1.31),
    rowOf('quorum of 3 Latchkeys', 1, 1, 1.3),
    rowOf('quorum of 3 Latchkeys', 64, 1, 9),
    rowOf('one Latchkey', 1, 1, 1),
  ]
  const rows = quorumRows({ quorum: { data } } as Results)
  assert.deepEqual(
    rows.map(({ what, verdict }) => [what, verdict]),
    [
      ['acquire and release, quorum of 3 Latchkeys, 1 ms away', 'reached'],
      ['acquire and release, quorum of 3 Latchkeys, on the loopback', 'missed'],
    ],
  )
})
