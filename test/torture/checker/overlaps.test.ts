import assert from 'node:assert/strict'
import { test } from 'node:test'
import { overlaps } from '#dist/torture/checker/overlaps.js'
import { belief } from './made.js'

test('spans that touch, or stand apart, do not overlap', () => {
  assert.deepEqual(overlaps([]), [])
  assert.deepEqual(overlaps([belief(0, 0, 10), belief(1, 10, 20), belief(0, 30, 40)]), [])
  assert.deepEqual(overlaps([belief(1, 10, 20), belief(0, 0, 10)]), [])
})

test('a moment together is an overlap, whoever came first in the list', () => {
  const [found, ...others] = overlaps([belief(1, 9, 20), belief(0, 0, 10)])
  assert.deepEqual(others, [])
  assert.deepEqual([found.kind, found.at, found.who], ['overlap', 9, [0, 1]])
})

test('each pair is told, also of spans within spans', () => {
  assert.equal(overlaps([belief(0, 0, 100), belief(1, 10, 20), belief(2, 15, 30)]).length, 3)
  assert.equal(overlaps([belief(0, 0, 100), belief(1, 10, 20), belief(2, 20, 30)]).length, 2)
})

test('two acquisitions of one participant are two', () => {
  assert.equal(overlaps([belief(0, 0, 10), belief(0, 5, 20)]).length, 1)
})

test('the same moment of entering is an overlap, an empty span is none', () => {
  assert.equal(overlaps([belief(0, 5, 10), belief(1, 5, 10)]).length, 1)
  assert.deepEqual(overlaps([belief(0, 0, 10), belief(1, 5, 5)]), [])
})

test('what clocks may differ by is let pass, and no more', () => {
  assert.deepEqual(overlaps([belief(0, 0, 10), belief(1, 8, 20)], 2), [])
  assert.equal(overlaps([belief(0, 0, 10), belief(1, 7.9, 20)], 2).length, 1)
})
