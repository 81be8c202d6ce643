/** In whatever order a participant has the servers, our client finds each key where the others have it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hands, Task } from '#dist/torture/algorithm.js'
import { ringOf } from '#dist/torture/simulation/clients/ring.js'
import { observe, roundsOf } from './observe.js'

const servers = ['server-0:11211', 'server-1:11211', 'server-2:11211']

test('a lock is one lock under lists of different orders', async () => {
  const hold = async ({ locks, sleep }: Hands, { name, ttlMs }: Task) => {
    const lock = await locks.tryAcquire(name, { ttl: ttlMs })
    if (lock === undefined) return 'busy'
    await sleep(500)
    return lock.release()
  }
  const { updates } = await observe(hold, {
    fault: 'lists',
    rounds: roundsOf(3),
    algorithm: { servers: 3 },
  })
  assert.deepEqual(updates.map(({ outcome }) => outcome).sort(), ['busy', 'busy', 'done'])
})

test('keys are on all servers, and no order moves one', () => {
  const [one, other] = [ringOf(servers), ringOf([servers[1], servers[2], servers[0]])]
  const keys = Array.from({ length: 99 }, (_, i) => `key-${i}`)
  assert.deepEqual(
    keys.map((key) => other.serverOf(key)),
    keys.map((key) => one.serverOf(key)),
  )
  assert.deepEqual([...new Set(keys.map((key) => one.serverOf(key)))].sort(), servers)
})
