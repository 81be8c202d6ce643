/** What threads see of one key could have happened one after the other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Store } from 'latchkey/store'
import { chosenSeed } from '../support/seed.js'
import { runCrew } from './crew.js'
import { isLinearizable, type Operation } from './history.js'
import { violations } from './invariants.js'
import type { LinearizabilityJob, Recorded } from './linearizability-worker.js'

const worker = new URL('./linearizability-worker.js', import.meta.url)
const ROUNDS = process.env.LATCHKEY_SOAK === '1' ? 20_000 : 1500

type Short = [thread: number, start: number, end: number, kind: Operation['kind'], rest: Partial<Operation>]
const history = (...short: Short[]): Operation[] =>
  short.map(([thread, start, end, kind, rest]) => ({ thread, start, end, kind, done: true, ...rest }))

const a = { value: '1', token: 1n }
const b = { value: '2', token: 2n }
const miss = { done: false }

test('the checker accepts what can be put in order', () => {
  assert.ok(isLinearizable(history([0, 0, 1, 'set', a], [1, 2, 3, 'get', a])))
  assert.ok(isLinearizable(history([0, 0, 9, 'set', a], [1, 1, 2, 'get', miss], [1, 3, 4, 'get', a])))
  assert.ok(isLinearizable(history([0, 0, 9, 'set', a], [1, 1, 8, 'set', b], [0, 10, 11, 'get', b])))
  assert.ok(isLinearizable(history([0, 0, 1, 'set', a], [1, 2, 9, 'delete', {}], [0, 3, 4, 'get', a])))
  assert.ok(isLinearizable(history([0, 0, 1, 'set', a], [1, 2, 3, 'incr', b], [0, 4, 5, 'get', b])))
  assert.ok(isLinearizable(history([0, 0, 1, 'set', a], [1, 2, 3, 'cas', { ...b, compare: 1n }])))
  assert.ok(isLinearizable(history([0, 0, 1, 'set', a], [1, 2, 3, 'get', miss]), true), 'evicted')
})

test('the checker refuses what cannot', () => {
  const bad: Record<string, Operation[]> = {
    'a value lost': history([0, 0, 1, 'set', a], [1, 2, 3, 'get', miss]),
    'a stale read': history([0, 0, 1, 'set', a], [0, 2, 3, 'set', b], [1, 4, 5, 'get', a]),
    'a value from nowhere': history([0, 0, 1, 'get', a]),
    'back and forth': history([0, 0, 9, 'set', b], [1, 1, 2, 'get', b], [1, 3, 4, 'get', miss]),
    'two winners': history([0, 0, 5, 'add', a], [1, 1, 6, 'add', b]),
    'two swaps of one token': history(
      [0, 0, 1, 'set', a],
      [0, 2, 8, 'cas', { ...b, compare: 1n }],
      [1, 3, 9, 'cas', { value: '3', token: 3n, compare: 1n }],
    ),
    'a lost count': history([0, 0, 1, 'set', a], [0, 2, 8, 'incr', b], [1, 3, 9, 'incr', { value: '2', token: 3n }]),
    'a token that falls': history([0, 0, 1, 'set', b], [0, 2, 3, 'set', a]),
    'deleted twice': history([0, 0, 1, 'set', a], [0, 2, 8, 'delete', {}], [1, 3, 9, 'delete', {}]),
  }
  for (const [name, one] of Object.entries(bad)) assert.equal(isLinearizable(one), false, name)
  assert.equal(isLinearizable(bad['a stale read']!, true), false, 'an eviction does not bring old values back')
})

async function record(store: Store, keys: number, churnBytes: number): Promise<Map<string, Recorded[]>> {
  const threads = 4
  const job: LinearizabilityJob = {
    seed: chosenSeed(),
    rounds: ROUNDS,
    keys,
    clock: new Int32Array(new SharedArrayBuffer(4)),
    gate: new Int32Array(new SharedArrayBuffer(4)),
    threads,
    churnBytes,
  }
  const all = (await runCrew<LinearizabilityJob, Recorded[]>(store, worker, threads, job)).flat()
  const byKey = new Map<string, Recorded[]>()
  for (const one of all) byKey.set(one.key, [...(byKey.get(one.key) ?? []), one])
  return byKey
}

function overlaps(one: Recorded[]): number {
  return one.filter((x) => one.some((y) => x.thread !== y.thread && x.start < y.end && y.start < x.end)).length
}

for (const [memory, churnBytes] of [
  ['8mb', 0],
  ['1mb', 3000],
] as const) {
  const mayEvict = churnBytes > 0
  test(`seed ${chosenSeed()}, four threads${mayEvict ? ' and evictions' : ''}`, async (t) => {
    const store = new Store({ memory })
    const keys = await record(store, 61, churnBytes)
    for (const [key, one] of keys) assert.ok(isLinearizable(one, mayEvict), `the history of ${key}`)
    const together = [...keys.values()].reduce((sum, one) => sum + overlaps(one), 0)
    t.diagnostic(`${together} of ${[...keys.values()].flat().length} operations overlapped with another on their key`)
    assert.ok(together > 0)
    assert.equal(store.stats().evictions > 0, mayEvict)
    assert.deepEqual(violations(store.handle), [])

    // The same histories with one answer changed are refused.
    let refused = 0
    for (const one of keys.values()) {
      const at = one.findIndex(({ kind, done }) => kind === 'get' && done)
      if (at < 0) continue
      const corrupted = one.with(at, { ...one[at]!, value: 'never stored' })
      assert.equal(isLinearizable(corrupted, mayEvict), false)
      refused++
    }
    assert.ok(refused > 0)
    store.close()
  })
}
