/** Three servers, and one of them refuses one connection: who is sent on to another server gets a lock that is held already. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createClient } from 'latchkey/client'
import { createLocks, LockBusyError, LockUnavailableError, memcached } from 'latchkey/locks'
import { FaultProxy } from 'latchkey/torture'
import { eventually } from '../../support/eventually.js'
import { requirePeer, requireWorking } from '../../support/peers.js'
import { type ServerProcess, startMemcached } from '../../support/process.js'
import { projectRoot } from '../../support/root.js'
import { LineProgram } from './line-program.js'

const python = '/usr/bin/python3'
const recipe = join(projectRoot, 'test/locks/stories/recipes/rehashing.py')

interface Fleet {
  readonly servers: readonly ServerProcess[]
  readonly proxies: readonly FaultProxy[]
  readonly addresses: readonly string[]
}

async function withFleet(t: TestContext, run: (fleet: Fleet) => Promise<void>): Promise<void> {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  const servers = await Promise.all([startMemcached(), startMemcached(), startMemcached()])
  const proxies = await Promise.all(servers.map((server) => FaultProxy.start(server)))
  try {
    await run({ servers, proxies, addresses: proxies.map(({ host, port }) => `${host}:${port}`) })
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.stop()))
    await Promise.all(servers.map((server) => server.stop()))
  }
}

/** The servers, by number, that have this key: asked directly, past the proxies. */
async function serversWith(fleet: Fleet, key: string): Promise<number[]> {
  const having: number[] = []
  for (const [i, { host, port }] of fleet.servers.entries()) {
    await using cache = createClient({ servers: `${host}:${port}` })
    if ((await cache.get(key)) !== undefined) having.push(i)
  }
  return having
}

test('python-memcached: a blip, and both hold the lock on two servers', async (t) => {
  if (!requireWorking(t, python, ['-c', 'import memcache'], 'apt install python3-memcache')) return
  await withFleet(t, async (fleet) => {
    const first = new LineProgram(python, [recipe, 'lock', ...fleet.addresses])
    const second = new LineProgram(python, [recipe, 'lock', ...fleet.addresses])
    try {
      assert.equal(await first.ask('acquire'), 'held')
      const [home] = await serversWith(fleet, 'lock')
      await fleet.proxies[home].refuse()
      assert.equal(await second.ask('acquire'), 'held')
      await fleet.proxies[home].accept()
      assert.deepEqual([await first.ask('holds'), await second.ask('holds')], ['held', 'held'])
      assert.equal((await serversWith(fleet, 'lock')).length, 2)
    } finally {
      await first.stop()
      await second.stop()
    }
  })
})

test('ours: a server that cannot be reached is LockUnavailableError, and no other server is asked', async (t) => {
  await withFleet(t, async (fleet) => {
    const make = () => createLocks(memcached({ servers: fleet.addresses, freshServers: 'trust' }))
    await using first = make()
    await using second = make()
    const lock = await first.acquire('lock', { ttl: '30s' })
    const [home] = await serversWith(fleet, 'latchkey:lock:lock')
    const others = fleet.proxies.filter((_, i) => i !== home)
    const asked = others.map((proxy) => proxy.accepted)

    await fleet.proxies[home].refuse()
    await assert.rejects(second.acquire('lock'), LockUnavailableError)
    await assert.rejects(second.acquire('lock', { wait: '300ms' }), LockUnavailableError)
    assert.deepEqual(await serversWith(fleet, 'latchkey:lock:lock'), [home])
    assert.deepEqual(
      others.map((proxy) => proxy.accepted),
      asked,
    )

    await fleet.proxies[home].accept()
    // The server is back before the client has tried it again: until then the lock cannot be had.
    const answer = await eventually('the server is asked again', async () => {
      const error = await second.acquire('lock').catch((reason: unknown) => reason)
      return error instanceof LockUnavailableError ? undefined : error
    })
    assert.ok(answer instanceof LockBusyError)
    lock.assertHeld()
    assert.equal(await lock.release(), 'released')
    await (await second.acquire('lock', { wait: '5s' })).release()
  })
})
