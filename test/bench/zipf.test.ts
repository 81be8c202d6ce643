import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom, shuffledIndices } from '../../bench/support/random.js'
import { zipfSampler } from '../../bench/support/zipf.js'

const draws = 200_000
const count = 1000

for (const exponent of [0.9, 1, 1.1]) {
  test(`ranks are drawn in proportion to 1 / rank^${exponent}`, () => {
    const seen = new Uint32Array(count)
    const draw = zipfSampler(count, exponent, seededRandom(7))
    for (let i = 0; i < draws; i++) seen[draw()]++
    const total = Array.from({ length: count }, (_, rank) => (rank + 1) ** -exponent).reduce((a, b) => a + b)
    for (const rank of [0, 1, 9, 99]) {
      const expected = (draws * (rank + 1) ** -exponent) / total
      // Five standard deviations of a count: the seed is fixed, so this passes always or never.
      assert.ok(
        Math.abs(seen[rank] - expected) < 5 * Math.sqrt(expected),
        `rank ${rank}: ${seen[rank]}, not ${expected}`,
      )
    }
    assert.ok(seen[count - 1] > 0, 'the last rank is never drawn')
  })
}

test('the same seed gives the same draws, another seed others', () => {
  const drawsOf = (seed: number) => {
    const draw = zipfSampler(count, 1, seededRandom(seed))
    return Array.from({ length: 20 }, draw)
  }
  assert.deepEqual(drawsOf(1), drawsOf(1))
  assert.notDeepEqual(drawsOf(1), drawsOf(2))
})

test('a shuffle keeps every index once', () => {
  const shuffled = shuffledIndices(count, seededRandom(3))
  assert.notDeepEqual([...shuffled.slice(0, 10)], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  assert.deepEqual(
    [...shuffled].sort((a, b) => a - b),
    Array.from({ length: count }, (_, index) => index),
  )
})
