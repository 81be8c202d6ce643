/** Who believed when: a lease says until when by itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BeliefLog } from '#dist/torture/processes/belief-log.js'
import type { Believing } from '#dist/torture/processes/messages.js'

function spansOf(end: number, ...reports: Believing[]): [from: number, to: number][] {
  const log = new BeliefLog()
  for (const report of reports) log.hear(report)
  return log.spans(0, end).map(({ from, to }) => [from, to])
}

const believes = (at: number, leftMs?: number): Believing => ({ is: 'believes', at, belief: 0, leftMs })
const still = (at: number, leftMs?: number): Believing => ({ is: 'still', at, belief: 0, leftMs })
const doubts = (at: number, leftMs?: number): Believing => ({ is: 'doubts', at, belief: 0, leftMs })

const cases: [what: string, reports: Believing[], to: number][] = [
  ['without a lease, until it says so', [believes(10), doubts(500)], 500],
  ['without a lease, until its end if it never does', [believes(10)], 1000],
  ['released in time', [believes(10, 100), doubts(50, 60)], 50],
  ['told too late: the lease was over', [believes(10, 100), doubts(500, 0)], 110],
  ['stopped, and woken after its lease', [believes(10, 100), still(30, 80), still(700, 0), doubts(710, 0)], 110],
  ['stopped, and never woken', [believes(10, 100)], 110],
  ['renewed', [believes(10, 100), still(60, 100), doubts(150, 10)], 150],
  ['renewed while nothing could be told', [believes(10, 100), doubts(500, 40)], 500],
  ['taken away', [believes(10, 100), still(30, 0), doubts(60, 0)], 30],
  ['killed within its lease', [believes(10, 5000)], 1000],
]

for (const [what, reports, to] of cases) {
  test(what, () => assert.deepEqual(spansOf(1000, ...reports), [[10, to]]))
}

test('one after the other, each with its fence and owner', () => {
  const log = new BeliefLog()
  log.hear({ is: 'believes', at: 1, belief: 0, fence: '7', owner: 'a' })
  log.hear({ is: 'doubts', at: 2, belief: 0 })
  log.hear({ is: 'believes', at: 3, belief: 1 })
  log.hear({ is: 'doubts', at: 4, belief: 1 })
  assert.deepEqual(log.spans(5, 9), [
    { who: 5, from: 1, to: 2, fence: '7', owner: 'a' },
    { who: 5, from: 3, to: 4 },
  ])
})
