/** The drivers of servers, when requests or replies are lost on the way. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ConnectionDefaults, createClient } from 'latchkey/client'
import { type Found, type LockDriver, LockUnavailableError, memcached } from 'latchkey/locks'
import { FaultProxy } from 'latchkey/torture'
import { startClassicServer } from '../../support/classic-server.js'
import { requirePeer } from '../../support/peers.js'
import { startLatchkey, startMemcached } from '../../support/process.js'
import { call, claimOf, held } from './case.js'
import { faultCases, until } from './fault-cases.js'
import { postgresFaultKinds } from './postgres-kind.js'
import { redisFaultKinds } from './redis-kinds.js'
import { registerFaultCases } from './register-fault-cases.js'

interface Address {
  readonly host: string
  readonly port: number
}

interface Kind {
  readonly name: string
  start(t: TestContext): Promise<(Address & { stop(): Promise<unknown> }) | undefined>
  create(address: Address): LockDriver
}

function memcachedKind(name: string, start: Kind['start'], options: ConnectionDefaults = {}): Kind {
  const create = ({ host, port }: Address) =>
    memcached({ servers: `${host}:${port}`, freshServers: 'trust', ...options })
  return { name, start, create }
}

const stock = async (t: TestContext) => (requirePeer(t, '/usr/bin/memcached') ? startMemcached() : undefined)

const stockKinds: readonly Kind[] = [
  memcachedKind('memcached', stock),
  memcachedKind('memcached, classic protocol', stock, { protocol: 'classic' }),
  memcachedKind('a server without meta commands', () => startClassicServer()),
]

const kinds: readonly Kind[] = [
  memcachedKind('Latchkey', () => startLatchkey({ threads: 2 })),
  ...stockKinds,
  ...redisFaultKinds,
  ...postgresFaultKinds,
]

for (const kind of kinds) {
  test(kind.name, async (t) => {
    const server = await kind.start(t)
    if (server === undefined) return
    for (const [name, run] of Object.entries({ ...faultCases, ...registerFaultCases })) {
      await t.test(name, async () => {
        const proxy = await FaultProxy.start(server)
        const driver = kind.create(proxy)
        const witness = kind.create(server)
        const claim = (key = `latchkey:lock:${name}`.replaceAll(' ', '-')) => claimOf(key)
        try {
          // So that nothing but the request in question is under way, and the server knows all that it may be asked.
          await driver.facts('latchkey:lock:first', call)
          await Promise.all([playOnce(driver), playOnce(witness)])
          await run({ proxy, driver, witness, claim })
        } finally {
          await proxy.heal()
          await Promise.all([driver.close(), witness.close()])
          await proxy.stop()
        }
      })
    }
    await server.stop()
  })
}

let played = 0

async function playOnce(driver: LockDriver): Promise<void> {
  const lease = held(await driver.claim(claimOf(`latchkey:lock:first${played++}`), call))
  const extended = await driver.extend(lease, 20_000, call)
  await driver.release(lease.key, extended!.version, call)
}

for (const { name, create, start } of stockKinds) {
  test(`${name}: who has lost the item before its fence is in it does not hold the lock`, async (t) => {
    const server = await start(t)
    if (server === undefined) return
    const proxy = await FaultProxy.start(server)
    proxy.plan = () => ({ replies: { delayMs: 50 } })
    const slow = create(proxy)
    const quick = create(server)
    try {
      const mine = claimOf('latchkey:lock:k')
      await slow.find(mine.key, call)
      const result = slow.claim(mine, call)
      let added: Found | undefined
      await until(async () => {
        added = await quick.find(mine.key, call)
        return added !== undefined
      })
      assert.equal(added!.fence, undefined, 'the item was seen too late to be of use')
      assert.equal(await quick.release(mine.key, added!.version, call), true)
      const lease = held(await quick.claim(claimOf(mine.key), call))
      const { status } = await result
      assert.equal(status, 'busy')
      assert.equal((await quick.find(mine.key, call))?.version, lease.version)
    } finally {
      await Promise.all([slow.close(), quick.close()])
      await proxy.stop()
      await server.stop()
    }
  })
}

test('of several servers one is down: its locks cannot be had, on no other server either', async (t) => {
  const servers = await Promise.all([1, 2, 3].map(() => startLatchkey({ threads: 1 })))
  const proxies = await Promise.all(servers.map((server) => FaultProxy.start(server)))
  const driver = memcached({ servers: proxies.map(({ host, port }) => `${host}:${port}`), freshServers: 'trust' })
  const clients = servers.map(({ host, port }) => createClient({ servers: `${host}:${port}` }))
  try {
    await proxies[0].refuse()
    const outcomes = { held: 0, refused: 0 }
    for (let i = 0; i < 60; i++) {
      const mine = claimOf(`latchkey:lock:n${i}`)
      const result = await driver.claim(mine, call).catch((error) => error)
      const copies = await Promise.all(clients.map((client) => client.get(mine.key)))
      const count = copies.filter((copy) => copy !== undefined).length
      if (result instanceof LockUnavailableError) {
        outcomes.refused++
        assert.equal(count, 0)
      } else {
        held(result)
        outcomes.held++
        assert.equal(count, 1)
      }
    }
    assert.ok(outcomes.held > 0 && outcomes.refused > 0, JSON.stringify(outcomes))
  } finally {
    await Promise.all([driver.close(), ...clients.map((client) => client.close())])
    for (const proxy of proxies) await proxy.stop()
    for (const server of servers) await server.stop()
  }
  t.diagnostic('done')
})
