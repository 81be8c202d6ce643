import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inTurns } from '../../bench/support/turns.js'

test('every repeat begins with another, and each is given what was its own', async () => {
  const order: string[] = []
  const given = await inTurns(['a', 'b', 'c'], 3, async (one) => {
    order.push(one)
    return `${one}${order.length}`
  })
  assert.equal(order.join(''), 'abcbcacab')
  assert.deepEqual(given, [
    ['a1', 'a6', 'a8'],
    ['b2', 'b4', 'b9'],
    ['c3', 'c5', 'c7'],
  ])
})
