/** No reader ever sees half a value, or somebody else's, while memory is full and everything moves. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Store } from 'latchkey/store'
import { chosenSeed } from '../support/seed.js'
import { runCrew } from './crew.js'
import { fault, frame } from './frames.js'
import { violations } from './invariants.js'
import type { TornJob, TornResult } from './torn-worker.js'

const worker = new URL('./torn-worker.js', import.meta.url)
const operations = process.env.LATCHKEY_SOAK === '1' ? 400_000 : 20_000

test('frames tell whole values from torn and foreign ones', () => {
  const value = Buffer.concat([frame('a', 100, 1), frame('a', 0, 2), frame('a', 5000, 3)])
  assert.equal(fault('a', value), undefined)
  assert.match(fault('b', value)!, /foreign/)
  assert.match(fault('a', value.subarray(0, -1))!, /torn/)
  assert.match(fault('a', Buffer.concat([value, Buffer.from([1])]))!, /torn/)
  value[3000]! ^= 1
  assert.match(fault('a', value)!, /wrong byte/)
})

for (const [memory, keys, threads] of [
  ['2mb', 400, 4],
  ['1mb', 300, 2],
  ['4mb', 6000, 3],
] as const) {
  test(`${threads} threads on ${keys} keys in ${memory}`, async (t) => {
    const store = new Store({ memory, itemMax: '256kb' })
    const job: TornJob = { operations, keys, seed: chosenSeed() }
    const results = await runCrew<TornJob, TornResult>(store, worker, threads, job)
    const faults = results.flatMap((result) => result.faults)
    const refused = results.reduce((sum, result) => sum + result.refused, 0)
    const { evictions, compactedItems, repairs } = store.stats()
    t.diagnostic(JSON.stringify({ seed: job.seed, refused, evictions, compactedItems, repairs }))
    assert.deepEqual(faults.slice(0, 5), [], `seed ${job.seed}`)
    assert.ok(results.every(({ hits }) => hits > 0) && evictions > 0, 'the test did what it is for')
    assert.equal(repairs, 0)
    assert.equal(refused, 0, 'there is always something to evict')
    assert.deepEqual(violations(store.handle), [])
    store.close()
  })
}
