import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handOverRow } from '../../bench/locks/hand-over.js'
import { hotRow } from '../../bench/locks/hot.js'
import { handOversMs, inOrder, keptOrder, overtakings, shares, type Tenure } from '../../bench/locks/tenures.js'

const tenure = (waiter: number, askedAt: number, heldAt: number, freedAt: number): Tenure => ({
  waiter,
  askedAt,
  heldAt,
  freedAt,
})

/** One holds until 100; three have asked at 10, 20 and 30. */
const first = tenure(-1, 0, 0, 100)
const fair = [first, tenure(0, 10, 100.5, 102), tenure(1, 20, 103, 104), tenure(2, 30, 105, 106)]
/** The second to ask is the last to get it. */
const unfair = [
  first,
  tenure(0, 10, 100.5, 102),
  tenure(2, 30, 103, 104),
  tenure(3, 40, 105, 106),
  tenure(1, 20, 109, 110),
]

test('what several processes saw is put in the order in which the lock was held', () => {
  assert.deepEqual(inOrder('a lock', [[fair[2], fair[0]], [], [fair[3], fair[1]]]), fair)
})

test('two who hold the lock at once end the measurement', () => {
  assert.throws(
    () => inOrder('a lock', [[tenure(0, 0, 1, 5)], [tenure(1, 0, 4.9, 6)]]),
    /waiters 0 and 1 held it at once/,
  )
})

test('a hand-over lasts from the call that releases until the next acquire has returned', () => {
  assert.deepEqual(handOversMs(fair), [0.5, 1, 1])
})

test('who takes the lock again himself hands nothing over', () => {
  const greedy = [tenure(0, 0, 1, 2), tenure(0, 2, 3, 4), tenure(1, 0, 6, 7)]
  assert.deepEqual(handOversMs(greedy), [2])
})

test('nobody is overtaken in a queue', () => {
  assert.deepEqual(overtakings(fair), [0, 0, 0, 0])
  assert.equal(keptOrder(fair), 3)
})

test('who asked later and got it sooner has overtaken', () => {
  assert.deepEqual(overtakings(unfair), [0, 0, 0, 0, 2])
  assert.equal(keptOrder(unfair), 2)
})

test('who asked at about the same moment may come either way round', () => {
  const close = [first, tenure(1, 10.9, 101, 102), tenure(0, 10, 103, 104)]
  assert.deepEqual(overtakings(close), [0, 0, 0])
  assert.equal(keptOrder(close), 2)
  const apart = [first, tenure(1, 11.1, 101, 102), tenure(0, 10, 103, 104)]
  assert.deepEqual(overtakings(apart), [0, 0, 1])
})

test('an overtaking long ago counts, one before the request does not', () => {
  const again = [tenure(0, 0, 1, 2), tenure(1, 1, 3, 4), tenure(0, 2.5, 5, 6), tenure(2, 0, 7, 8)]
  assert.deepEqual(overtakings(again), [0, 0, 0, 1])
})

test('who never had the lock has a share of nothing', () => {
  assert.deepEqual(shares([tenure(0, 0, 1, 2), tenure(2, 0, 3, 4), tenure(0, 2, 5, 6)], 3), [0, 1, 2])
})

test('a row of hand-overs sums up its rounds', () => {
  assert.deepEqual(handOverRow('a', 3, [fair, unfair]), {
    name: 'a',
    waiters: 3,
    rounds: 2,
    p50Ms: 1,
    p99Ms: 3,
    inOrderShare: 0.714,
    overtakenMax: 2,
    lastMsMax: 9,
  })
})

test('a row of the hot lock has the median run, a second each', () => {
  const run = (waiters: number[]) => waiters.map((waiter, at) => tenure(waiter, 0, at, at))
  const row = hotRow('a', 2, 500, [run([0, 0, 0, 0]), run([0, 1, 0, 1]), run([0, 0, 1, 0])])
  assert.deepEqual(row, {
    name: 'a',
    waiters: 2,
    handOversPerSecond: 4,
    acquiredPerSecond: 8,
    fewestPerSecond: 2,
    mostPerSecond: 6,
  })
})
