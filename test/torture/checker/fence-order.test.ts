import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fenceOrder } from '#dist/torture/checker/fence-order.js'
import { belief, update } from './made.js'

const exclusive = { updates: [], exclusive: true }

test('fences that rise are in order, in whatever order they are told; decimals are numbers', () => {
  assert.deepEqual(fenceOrder({ ...exclusive, beliefs: [belief(1, 20, 30, 10), belief(0, 0, 10, 9)] }), [])
})

test('holders without a fence are none of its business', () => {
  assert.deepEqual(fenceOrder({ ...exclusive, beliefs: [belief(0, 0, 10, 9), belief(1, 20, 30)] }), [])
})

test('a fence that is smaller, or the same, is out of order', () => {
  for (const fence of [9, 10]) {
    const found = fenceOrder({ ...exclusive, beliefs: [belief(0, 0, 10, 10), belief(1, 20, 30, fence)] })
    assert.deepEqual(
      found.map(({ kind, at, who }) => ({ kind, at, who })),
      [{ kind: 'fence order', at: 20, who: [0, 1] }],
    )
  }
})

test('it is compared with the greatest so far, not with the last', () => {
  const beliefs = [belief(0, 0, 10, 10), belief(1, 20, 30, 5), belief(2, 40, 50, 7)]
  assert.equal(fenceOrder({ ...exclusive, beliefs }).length, 2)
})

test('where two may hold, a late reply may bring an older fence', () => {
  const beliefs = [belief(1, 5, 8, 6), belief(0, 20, 30, 5)]
  assert.equal(fenceOrder({ beliefs, updates: [], exclusive: true }).length, 1)
  // Asked for before the other had it: it may have been granted first.
  assert.deepEqual(fenceOrder({ beliefs, updates: [update(1, 1, 9), update(0, 4, 40)], exclusive: false }), [])
  // Asked for after that: it cannot.
  assert.equal(fenceOrder({ beliefs, updates: [update(1, 1, 9), update(0, 6, 40)], exclusive: false }).length, 1)
})

test('where two may hold, nothing is said about what nobody wrote down', () => {
  const beliefs = [belief(1, 5, 8, 6), belief(0, 20, 30, 5)]
  assert.deepEqual(fenceOrder({ beliefs, updates: [], exclusive: false }), [])
})
