/**
 * memcached that was stopped may store by the clock of before: who gets or extends a lock in that moment is not to believe in it for
 * longer than it lives.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hands, Task } from '#dist/torture/algorithm.js'
import { overlaps } from '#dist/torture/checker/overlaps.js'
import { observe, roundsOf } from './observe.js'

const SEEDS = 20

test('a lock that is acquired as the server goes on', async () => {
  const change = async (hands: Hands, { name }: Task) => {
    // The first one has a connection already when the server is stopped.
    if (hands.who === 0) await (await hands.locks.acquire('another', { ttl: 3000 })).release()
    await hands.sleep(hands.who === 0 ? 4500 : 5060)
    const lock = await hands.locks.acquire(name, { ttl: 3000, wait: 3000, guarantee: 'lease' })
    const belief = hands.believes({ remainingMs: () => lock.remainingMs() })
    await hands.sleep(1500)
    belief.end()
    await lock.release()
  }
  await play(change, 3000, { at: 500, ms: 4550 })
})

test('a lock that is extended as the server goes on', async () => {
  const change = async (hands: Hands, { name }: Task) => {
    if (hands.who === 1) await hands.sleep(14_000)
    const lock = await hands.locks.acquire(name, { ttl: 12_000, wait: 20_000, renew: false })
    const belief = hands.believes({ fence: lock.fence, remainingMs: () => lock.remainingMs() })
    await hands.sleep(hands.who === 0 ? 7500 : 3000)
    if (hands.who === 0) {
      await lock.extend()
      await hands.sleep(20_000)
    }
    belief.end()
    await lock.release()
  }
  await play(change, 12_000, { at: 500, ms: 7500 })
})

async function play(
  change: (hands: Hands, task: Task) => Promise<void>,
  ttlMs: number,
  stop: { at: number; ms: number },
): Promise<void> {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const incidents = [{ ...stop, what: 'server-pause', server: 0 } as const]
    const { beliefs, updates } = await observe(change, {
      seed,
      ttlMs,
      fault: 'server-pause',
      rounds: roundsOf(2),
      incidents,
      algorithm: { home: 'memcached', counts: [] },
    })
    assert.deepEqual(
      updates.map(({ outcome, why }) => why ?? outcome),
      ['done', 'done'],
    )
    assert.deepEqual(overlaps(beliefs), [], `seed ${seed}`)
  }
}
