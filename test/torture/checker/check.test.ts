/** The checker as a whole: what is counted against whom. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Algorithm, algorithmNamed, check, type FaultName } from 'latchkey/torture'
import { lostUpdates } from '#dist/torture/checker/lost-updates.js'
import { belief, deed, history, kinds, plan, update } from './made.js'

const right = history({
  beliefs: [belief(0, 5, 20, 7), belief(1, 25, 40, 8)],
  updates: [update(0, 0, 22), update(1, 0, 45)],
  deeds: [deed(3, 'add', 0, 'a'), deed(21, 'delete', 0), deed(23, 'add', 1, 'b'), deed(42, 'delete', 1)],
  final: ['0@0', '1@0'],
})
/** Everything that can be wrong, but for what is stuck. */
const wrong = history({
  beliefs: [belief(0, 5, 30, 8), belief(1, 25, 40, 8), belief(2, 60, 70, 6)],
  updates: [update(0, 0, 32), update(1, 0, 45), update(2, 50, 75)],
  deeds: [deed(3, 'add', 0, 'a'), deed(31, 'delete', 1), deed(60, 'add', 2, 'b')],
  final: ['0@0', '2@50'],
})

const all: Algorithm = {
  ...algorithmNamed('latchkey-fenced'),
  counts: ['overlap', 'lost update', 'fence order', 'ownership', 'left over', 'stuck'],
}

function checked(algorithm: Algorithm, fault: FaultName, of = wrong): string[] {
  return [...new Set(kinds(check(plan({ fault }), algorithm, of)))]
}

test('what is right is right for everybody', () => {
  for (const fault of ['none', 'flush', 'lost-reply'] as const) assert.deepEqual(checked(all, fault, right), [])
})

test('what was done and is not in the set is lost, and nothing else', () => {
  const updates = [update(0, 0, 9), update(1, 0, 8, 'failed'), update(2, 0, 7, 'busy'), update(3, 0, 6, 'cut')]
  assert.deepEqual(kinds(lostUpdates(updates, [])), ['lost update'])
  assert.deepEqual(lostUpdates(updates, ['0@0']), [])
})

test('all that is wrong is told, in the order in which it happened', () => {
  const violations = check(plan(), all, wrong)
  assert.deepEqual(kinds(violations), [
    'overlap',
    'fence order',
    'ownership',
    'lost update',
    'fence order',
    'left over',
  ])
  assert.ok(violations.every(({ at }, i) => i === 0 || violations[i - 1].at <= at))
})

test('an algorithm answers for what it counts', () => {
  assert.deepEqual(checked(algorithmNamed('add-delete'), 'none'), ['overlap', 'lost update'])
  assert.deepEqual(checked(algorithmNamed('read-modify-set'), 'none'), ['lost update'])
  assert.deepEqual(checked(algorithmNamed('memcached-lease'), 'flush'), ['overlap', 'lost update'])
})

test('where two may believe, overlaps are no violation, and everything else is', () => {
  const fenced = algorithmNamed('memcached-fenced')
  assert.deepEqual(checked(fenced, 'flush'), ['ownership', 'lost update', 'fence order'])
  assert.ok(checked(fenced, 'restart').includes('overlap'))
  assert.ok(checked(algorithmNamed('latchkey-fenced'), 'flush').includes('overlap'))
})

test('a record that is there after the release counts only where no fault was made', () => {
  assert.ok(checked(all, 'none').includes('left over'))
  assert.ok(!checked(all, 'lost-reply').includes('left over'))
})

test('a free lock that is told busy is out of order, where no fault was made and errors are told', () => {
  const of = { ...right, updates: [...right.updates, update(2, 50, 60, 'busy')] }
  assert.deepEqual(checked(all, 'none', of), ['stuck'])
  const alone = history({ updates: [update(2, 50, 60, 'busy')] })
  assert.deepEqual(checked(all, 'none', alone), ['stuck'])
  for (const each of [of, alone]) assert.deepEqual(checked(all, 'restart', each), [])
  assert.deepEqual(checked({ ...all, habits: { errors: 'as a miss' } }, 'none', of), [])
  // While the lock was held, or was perhaps held by somebody who does not know, it is not.
  assert.deepEqual(checked(all, 'none', { ...right, updates: [...right.updates, update(2, 21, 60, 'busy')] }), [])
  assert.deepEqual(checked(all, 'none', { ...of, updates: [...of.updates, update(3, 40, 49, 'failed')] }), [])
})

test('tolerance is for overlaps, by the search too', () => {
  const beliefs = [belief(0, 5, 27, 7), belief(1, 25, 40, 8)]
  const of = { ...right, beliefs, updates: [update(0, 0, 29), update(1, 0, 45)], deeds: [] }
  const withTolerance = (toleranceMs: number) => kinds(check(plan(), all, of, { toleranceMs }))
  assert.deepEqual(withTolerance(2), [])
  assert.deepEqual(withTolerance(1), ['overlap'])
})
