/** Who does not hold the lock frees it: after the lease has ended, or without ever having had it. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, type TestContext, test } from 'node:test'
import { createClient } from 'latchkey/client'
import { createLocks, LockBusyError, LockLostError, memcached } from 'latchkey/locks'
import { eventually } from '../../support/eventually.js'
import { requirePeer } from '../../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../../support/process.js'
import { addDelete } from './recipes/add-delete.js'
import { withLock } from './recipes/context-manager.js'

const MEMCACHED = '/usr/bin/memcached'
const started = new Map<string, ServerProcess>()

before(async () => {
  started.set('Latchkey', await startLatchkey({ threads: 2 }))
  if (existsSync(MEMCACHED)) started.set('memcached', await startMemcached())
})

after(() => Promise.all([...started.values()].map((server) => server.stop())))

const noStep = async () => {}

function onEach(story: string, run: (server: string) => Promise<void>): void {
  for (const name of ['Latchkey', 'memcached']) {
    test(`${story}, on ${name}`, async (t: TestContext) => {
      if (name === 'memcached' && !requirePeer(t, MEMCACHED, 'apt install memcached')) return
      const { host, port } = started.get(name)!
      await run(`${host}:${port}`)
    })
  }
}

onEach('delete in finally: the lease ends early, and the delete frees the lock of the next', async (server) => {
  await using cache = createClient({ servers: server })
  const [first, second, third] = [1, 2, 3].map(() => addDelete(cache, 'invoice', noStep))
  assert.equal(await first.acquire(), true)
  // The first one works for longer than the lease.
  await eventually('the lease is over', () => second.acquire())
  await first.release()
  assert.equal(await third.acquire(), true, 'while the second still works')
})

onEach('ours: release after the lease has ended touches nobody', async (server) => {
  const make = () => createLocks(memcached({ servers: server, freshServers: 'trust' }))
  await using mine = make()
  await using others = make()
  const first = await mine.acquire('invoice', { ttl: '2s', renew: false })
  const second = await others.acquire('invoice', { ttl: '30s', wait: '20s' })
  assert.ok(second.fence > first.fence)
  assert.throws(() => first.assertHeld(), LockLostError)
  assert.equal(await first.release(), 'lost')
  assert.equal((await others.inspect('invoice'))?.owner, second.owner)
  await assert.rejects(mine.acquire('invoice'), LockBusyError)
  second.assertHeld()
  assert.equal(await second.release(), 'released')
})

onEach('a context manager: the loser frees the lock of the winner', async (server) => {
  await using cache = createClient({ servers: server })
  await withLock(cache, 'report', async (winner) => {
    assert.equal(winner, true)
    await withLock(cache, 'report', async (loser) => assert.equal(loser, false))
    await withLock(cache, 'report', async (third) => assert.equal(third, true, 'while the winner still works'))
  })
})

onEach('ours: who has not acquired has nothing to release', async (server) => {
  const make = () => createLocks(memcached({ servers: server, freshServers: 'trust' }))
  await using winners = make()
  await using losers = make()
  await using winner = await winners.acquire('report', { ttl: '30s' })
  for (let loser = 0; loser < 3; loser++) {
    const body = async () => {
      await using _lock = await losers.acquire('report', { ttl: '30s' })
      assert.fail('the body of a loser')
    }
    await assert.rejects(body(), LockBusyError)
    assert.equal((await losers.inspect('report'))?.owner, winner.owner)
  }
  winner.assertHeld()
})
