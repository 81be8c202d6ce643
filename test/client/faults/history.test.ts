import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPossible, type Kind, type Operation } from './history.js'

type Short = [start: number, end: number, kind: Kind, rest?: Partial<Operation>]
const history = (...short: Short[]): Operation[] =>
  short.map(([start, end, kind, rest]) => ({ start, end, kind, outcome: 'done', ...rest }))
const a = { value: 'a' }
const b = { value: 'b' }
const refused = { outcome: 'refused' } as const
const unknown = { outcome: undefined }

const possible: Record<string, Operation[]> = {
  'one after the other': history([0, 1, 'set', a], [2, 3, 'get', a], [4, 5, 'delete'], [6, 7, 'get']),
  'both ways round': history([0, 9, 'set', a], [1, 8, 'set', b], [10, 11, 'get', a]),
  'an unknown set that was done': history([0, 1, 'set', { ...a, ...unknown }], [2, 3, 'get', a]),
  'an unknown set that was not': history([0, 1, 'set', { ...a, ...unknown }], [2, 3, 'get']),
  'an unknown set that was done late': history([0, 1, 'set', { ...a, ...unknown }], [2, 3, 'set', b], [4, 5, 'get', a]),
  'a cas': history([0, 1, 'set', a], [2, 3, 'cas', { ...b, expected: 'a' }], [4, 5, 'get', b]),
  'a cas refused': history([0, 1, 'set', a], [2, 3, 'cas', { ...b, ...refused, expected: 'c', exists: true }]),
  'a cas of nothing': history([2, 3, 'cas', { ...b, ...refused, expected: 'c', exists: false }]),
  'an unknown delete that spared another value': history(
    [0, 1, 'set', a],
    [2, 3, 'delete', { ...unknown, expected: 'c' }],
    [4, 5, 'get', a],
  ),
}

const impossible: Record<string, Operation[]> = {
  'a value lost': history([0, 1, 'set', a], [2, 3, 'get']),
  'a value from nowhere': history([0, 1, 'get', a]),
  'a value from later': history([0, 1, 'get', a], [2, 3, 'set', a]),
  'a stale value': history([0, 1, 'set', a], [2, 3, 'set', b], [4, 5, 'get', a]),
  'back and forth': history([0, 9, 'set', a], [1, 2, 'get', a], [3, 4, 'get']),
  'two adds': history([0, 5, 'add', a], [1, 6, 'add', b]),
  'an add refused by nothing': history([0, 1, 'add', { ...a, ...refused }]),
  'two swaps of one token': history(
    [0, 1, 'set', a],
    [2, 8, 'cas', { ...b, expected: 'a' }],
    [3, 9, 'cas', { value: 'c', expected: 'a' }],
  ),
  'a cas refused although nobody changed it': history(
    [0, 1, 'set', a],
    [2, 3, 'cas', { ...b, ...refused, expected: 'a', exists: true }],
  ),
  'a cas believed and not done': history([0, 1, 'set', a], [2, 3, 'cas', { ...b, expected: 'a' }], [4, 5, 'get', a]),
  'deleted twice': history([0, 1, 'set', a], [2, 8, 'delete'], [3, 9, 'delete']),
  'deleted with another token': history([0, 1, 'set', a], [2, 8, 'delete', { expected: 'b' }]),
  'replaced nothing': history([0, 1, 'replace', a]),
  'touched nothing': history([0, 1, 'touch']),
  'an unknown set before its call': history([0, 1, 'get', a], [2, 3, 'set', { ...a, ...unknown }]),
}

for (const [name, one] of Object.entries(possible)) test(`possible: ${name}`, () => assert.ok(isPossible(one)))
for (const [name, one] of Object.entries(impossible)) test(`impossible: ${name}`, () => assert.ok(!isPossible(one)))

test('what vanishes by itself is counted', () => {
  const twice = history([0, 1, 'set', a], [2, 3, 'get'], [4, 5, 'set', b], [6, 7, 'get'])
  assert.ok(!isPossible(twice, 1) && isPossible(twice, 2))
  assert.ok(!isPossible(history([0, 1, 'set', a], [2, 3, 'set', b], [4, 5, 'get', a]), 9), 'and nothing comes back')
})
