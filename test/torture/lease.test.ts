/** Ours without a fence: who looks at the lease before the write does not write after its end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LockLostError } from 'latchkey/locks'
import { algorithmNamed, type Hands, type Task } from 'latchkey/torture'
import { model } from '../locks/support/model.js'
import { MiniatureResource, SharedSet } from './support/miniature-resource.js'

for (const stallMs of [0, 1950, 5000]) {
  test(`an event loop that was blocked for ${stallMs} ms of a lease of 2 s`, async () => {
    const { time, locks } = model()
    const set = new SharedSet()
    const resource = new MiniatureResource(set, async () => {})
    const believes = () => ({ end: () => undefined })
    const hands = { who: 0, locks, resource, believes } as Partial<Hands> as Hands
    const task: Task = {
      name: 'lock',
      id: 'a',
      ttlMs: 2000,
      waitMs: 0,
      signal: new AbortController().signal,
      work: async () => time.stall(stallMs),
    }
    const change = time.settled(algorithmNamed('latchkey-lease').change(hands, task))
    if (stallMs === 0) assert.equal(await change, 'done')
    else await assert.rejects(change, LockLostError)
    assert.deepEqual(set.ids, stallMs === 0 ? ['a'] : [])
  })
}
