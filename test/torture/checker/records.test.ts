/** What can be told from the deeds of the servers: whose record was touched by whom, and what was left. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leftOver } from '#dist/torture/checker/left-over.js'
import { ownership } from '#dist/torture/checker/ownership.js'
import { livesOf } from '#dist/torture/checker/records.js'
import { deed, update } from './made.js'

test('ownership: who changes and deletes what is its own, or what nobody has, does right', () => {
  const deeds = [deed(1, 'add', 0, 'a'), deed(2, 'change', 0, 'a2', 'a'), deed(3, 'delete', 0)]
  assert.deepEqual(ownership([...deeds, deed(4, 'add', 1, 'b'), deed(5, 'expire'), deed(6, 'add', 0, 'c')]), [])
})

test('ownership: to delete or to change what another wrote is told', () => {
  const deleted = ownership([deed(1, 'add', 0, 'a'), deed(2, 'delete', 1, undefined, 'a')])
  assert.deepEqual([deleted.length, deleted[0].at, deleted[0].who], [1, 2, [1, 0]])
  assert.equal(ownership([deed(1, 'add', 0, 'a'), deed(2, 'change', 1, 'b', 'a')]).length, 1)
  // A touch is a change, too: it gives another’s lease a new life.
  assert.equal(ownership([deed(1, 'add', 0, 'a'), deed(2, 'change', 1, 'a', 'a')]).length, 1)
})

test('ownership: what came after its lease is another’s', () => {
  const deeds = [
    deed(1, 'add', 0, 'a'),
    deed(2, 'expire'),
    deed(3, 'add', 1, 'b'),
    deed(4, 'delete', 0, undefined, 'b'),
  ]
  assert.equal(ownership(deeds).length, 1)
})

test('ownership: strangers may do what they like, and what they wrote is not protected', () => {
  assert.deepEqual(ownership([deed(1, 'add', 0, 'a'), deed(2, 'delete'), deed(3, 'add', 1, 'b')]), [])
  assert.deepEqual(
    ownership([deed(1, 'add', 0, 'a'), deed(2, 'change', undefined, 'x', 'a'), deed(3, 'delete', 1)]),
    [],
  )
  // After a stranger’s touch it is whose it was.
  const touched = [deed(1, 'add', 0, 'a'), deed(2, 'change', undefined, 'a', 'a')]
  assert.deepEqual(ownership([...touched, deed(3, 'delete', 0)]), [])
  assert.equal(ownership([...touched, deed(3, 'delete', 1)]).length, 1)
})

test('ownership: each key is a lock of its own', () => {
  assert.deepEqual(ownership([deed(1, 'add', 0, 'a'), { ...deed(2, 'delete', 1), key: 'other' }]), [])
})

test('left over: what is released before the update ends, or went by itself, is not', () => {
  assert.deepEqual(leftOver([deed(5, 'add', 0, 'a'), deed(9, 'delete', 0)], [update(0, 0, 10)]), [])
  assert.deepEqual(leftOver([deed(5, 'add', 0, 'a'), deed(9, 'expire')], [update(0, 0, 10)]), [])
})

test('left over: a record of whoever has ended is, however it has ended', () => {
  for (const outcome of ['done', 'busy', 'failed'] as const) {
    const found = leftOver([deed(5, 'add', 0, 'a'), deed(11, 'delete', 0)], [update(0, 0, 10, outcome)])
    assert.deepEqual([found.length, found[0].at, found[0].who], [1, 10, [0]])
  }
  assert.equal(leftOver([deed(5, 'add', 0, 'a')], [update(0, 0, 10)]).length, 1)
})

test('left over: the next holder’s record is not, nor that of whoever was cut off', () => {
  const deeds = [deed(5, 'add', 0, 'a'), deed(9, 'delete', 0), deed(9, 'add', 1, 'b')]
  assert.deepEqual(leftOver(deeds, [update(0, 0, 10), update(1, 0, 40, 'cut')]), [])
})

test('a life goes from its add to whatever ended it, or took its place', () => {
  const [one, two] = livesOf([deed(1, 'add', 0, 'a'), deed(5, 'add', 1, 'b'), deed(6, 'change', undefined, 'x', 'b')])
  assert.deepEqual([one.from, one.to, one.writer, one.end?.what], [1, 5, 0, 'add'])
  assert.deepEqual([two.from, two.to, two.writer, two.end], [5, Number.POSITIVE_INFINITY, undefined, undefined])
  const [touched] = livesOf([deed(1, 'add', 0, 'a'), deed(2, 'change', undefined, 'a', 'a')])
  assert.equal(touched.writer, 0)
})
