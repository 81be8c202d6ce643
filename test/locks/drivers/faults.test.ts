/** What the memcached driver says, and what the server has, when requests or replies are lost on the way. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { bytes, type Client, type ConnectionDefaults, createClient } from 'latchkey/client'
import {
  type Found,
  type Lease,
  type LockDriver,
  LockUnavailableError,
  memcached,
  OutcomeUnknownError,
} from 'latchkey/locks'
import { FaultProxy } from 'latchkey/torture'
import { startClassicServer } from '../../support/classic-server.js'
import { requirePeer } from '../../support/peers.js'
import { startLatchkey, startMemcached } from '../../support/process.js'
import { call, claimOf, held } from './case.js'

interface Kind {
  readonly name: string
  readonly options?: ConnectionDefaults
  start(t: TestContext): Promise<{ host: string; port: number; stop(): Promise<unknown> } | undefined>
}

const stock = async (t: TestContext) => (requirePeer(t, '/usr/bin/memcached') ? startMemcached() : undefined)

const kinds: readonly Kind[] = [
  { name: 'Latchkey', start: () => startLatchkey({ threads: 2 }) },
  { name: 'memcached', start: stock },
  { name: 'memcached, classic protocol', start: stock, options: { protocol: 'classic' } },
  { name: 'a server without meta commands', start: () => startClassicServer() },
]

interface Setting {
  readonly proxy: FaultProxy
  /** Goes through the proxy. */
  readonly driver: LockDriver
  /** These do not. */
  readonly witness: LockDriver
  readonly client: Client<Uint8Array>
  claim(key?: string): ReturnType<typeof claimOf>
}

for (const kind of kinds) {
  test(kind.name, async (t) => {
    const server = await kind.start(t)
    if (server === undefined) return
    for (const [name, run] of Object.entries(cases)) {
      await t.test(name, async () => {
        const proxy = await FaultProxy.start(server)
        const options = { freshServers: 'trust', ...kind.options } as const
        const driver = memcached({ servers: `${proxy.host}:${proxy.port}`, ...options })
        const witness = memcached({ servers: `${server.host}:${server.port}`, ...options })
        const client = createClient({ servers: `${server.host}:${server.port}`, codec: bytes(), ...kind.options })
        const claim = (key = `latchkey:lock:${name}`.replaceAll(' ', '-')) => claimOf(key)
        try {
          // So that nothing but the request in question is under way.
          await driver.facts('latchkey:lock:first', call)
          await run({ proxy, driver, witness, client, claim })
        } finally {
          await proxy.heal()
          await Promise.all([driver.close(), witness.close(), client.close()])
          await proxy.stop()
        }
      })
    }
    await server.stop()
  })
}

/** For other guarantees memcached is asked something before, and what is lost then has changed nothing. */
function extendedAtOnce(lease: Lease): Lease {
  return { ...lease, guarantee: 'efficiency' }
}

const cases: Record<string, (setting: Setting) => Promise<void>> = {
  async 'the reply to an add is lost: unknown, and find tells that it is there'({ proxy, driver, witness, claim }) {
    const mine = claim()
    proxy.losing = 'replies'
    const result = driver.claim(mine, call)
    result.catch(() => undefined)
    await until(async () => (await witness.find(mine.key, call)) !== undefined)
    proxy.cutAll()
    await assert.rejects(result, OutcomeUnknownError)
    await proxy.heal()
    const found = await eventually(() => driver.find(mine.key, call))
    assert.equal(found?.holder.owner, mine.holder.owner)
    assert.equal(await driver.release(mine.key, found!.version, call), true)
  },

  async 'an add is lost: unknown, and find tells that it is not there'({ proxy, driver, claim }) {
    const mine = claim()
    proxy.losing = 'requests'
    const result = driver.claim(mine, call)
    result.catch(() => undefined)
    await sleep(50)
    proxy.cutAll()
    await assert.rejects(result, OutcomeUnknownError)
    await proxy.heal()
    assert.equal(await eventually(() => driver.find(mine.key, call)), undefined)
  },

  async 'the reply to an extension is lost: unknown, and find tells the version'({ proxy, driver, witness, claim }) {
    const lease = extendedAtOnce(held(await driver.claim(claim(), call)))
    proxy.losing = 'replies'
    const result = driver.extend(lease, 20_000, call)
    result.catch(() => undefined)
    await until(async () => (await witness.find(lease.key, call))?.version !== lease.version)
    proxy.cutAll()
    await assert.rejects(result, OutcomeUnknownError)
    await proxy.heal()
    const found = await eventually(() => driver.find(lease.key, call))
    assert.equal(found?.holder.owner, lease.holder.owner)
    assert.equal(found?.fence, lease.fence)
    assert.equal(await driver.extend(lease, 20_000, call), undefined, 'of the old version')
    assert.equal(await driver.release(lease.key, found!.version, call), true)
  },

  async 'the reply to a release is lost: unknown, and the next holder’s is not touched'(setting) {
    const { proxy, driver, witness, claim } = setting
    const lease = held(await driver.claim(claim(), call))
    proxy.losing = 'replies'
    const result = driver.release(lease.key, lease.version, call)
    result.catch(() => undefined)
    await until(async () => (await witness.find(lease.key, call)) === undefined)
    const next = held(await witness.claim(claim(), call))
    proxy.cutAll()
    await assert.rejects(result, OutcomeUnknownError)
    await proxy.heal()
    assert.equal(await eventually(() => driver.release(lease.key, lease.version, call)), false)
    assert.equal((await driver.find(next.key, call))?.holder.owner, next.holder.owner)
  },

  async 'an extension says how early the server may end it, whatever the lease said'({ driver, claim }) {
    const lease = held(await driver.claim(claim(), call))
    // As a lease is that was read back or restored.
    const read = { ...lease, granularityMs: 0, from: Number.NEGATIVE_INFINITY }
    assert.equal((await driver.extend(read, 20_000, call))?.granularityMs, lease.granularityMs)
  },

  async 'who waits in a queue and gives up is told, also when the server hangs'({ proxy, driver, claim }) {
    held(await driver.claim(claim(), call))
    const controller = new AbortController()
    const reason = new Error('enough')
    const waiting = driver.claim(
      { ...claim(), waitMs: 3_600_000 },
      { ...call, deadlineMs: 500, signal: controller.signal },
    )
    waiting.catch(() => undefined)
    await sleep(300)
    proxy.hang()
    controller.abort(reason)
    try {
      // A server without queues has answered before.
      const error = await waiting.catch((error) => error)
      if (error instanceof OutcomeUnknownError) assert.equal(error.cause, reason)
    } finally {
      proxy.resume()
    }
  },

  async 'who stops listing leaves no connection behind'({ proxy, driver, claim }) {
    const { key } = held(await driver.claim(claim(), call))
    const open = proxy.open
    try {
      for await (const found of driver.list(key, call)) {
        assert.equal(found.key, key)
        break
      }
    } catch (error) {
      // One that cannot list.
      assert.ok(error instanceof LockUnavailableError)
    }
    await until(async () => proxy.open <= open)
  },

  async 'no reply in time is unknown too'({ proxy, driver, claim }) {
    const lease = extendedAtOnce(held(await driver.claim(claim(), call)))
    proxy.losing = 'replies'
    await assert.rejects(driver.extend(lease, 20_000, { ...call, deadlineMs: 50 }), OutcomeUnknownError)
  },

  async 'a question without an answer is no unknown outcome'({ proxy, driver, claim }) {
    proxy.losing = 'replies'
    await assert.rejects(driver.find(claim().key, { ...call, deadlineMs: 50 }), LockUnavailableError)
  },

  async 'a server that is down is unavailable, and nothing is left there'({ proxy, driver, witness, claim }) {
    const mine = claim()
    await proxy.refuse()
    proxy.cutAll()
    await until(async () => {
      const error = await driver.claim(mine, call).catch((error) => error)
      return error instanceof LockUnavailableError
    })
    await assert.rejects(driver.claim(mine, call), LockUnavailableError)
    assert.equal(await witness.find(mine.key, call), undefined)
    await proxy.heal()
    await until(async () => (await driver.claim(mine, call).catch(() => undefined))?.status === 'held')
  },

  async 'the same server after a blip of the connection extends and releases'({ proxy, driver, claim }) {
    const lease = held(await driver.claim(claim(), call))
    proxy.cutAll('fin')
    const extended = await eventually(() => driver.extend(lease, 20_000, call))
    proxy.cutAll('fin')
    assert.equal(await eventually(() => driver.release(lease.key, extended!.version, call)), true)
  },
}

for (const { name, options, start } of kinds.slice(1)) {
  test(`${name}: who has lost the item before its fence is in it does not hold the lock`, async (t) => {
    const server = await start(t)
    if (server === undefined) return
    const proxy = await FaultProxy.start(server)
    proxy.plan = () => ({ replies: { delayMs: 50 } })
    const slow = memcached({ servers: `${proxy.host}:${proxy.port}`, freshServers: 'trust', ...options })
    const quick = memcached({ servers: `${server.host}:${server.port}`, freshServers: 'trust', ...options })
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

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; !(await condition()); i++) {
    assert.ok(i < 1000, 'it never comes')
    await sleep(10)
  }
}

/** A connection that has just ended may be noticed by the request that it takes along. */
async function eventually<R>(run: () => Promise<R>): Promise<R> {
  for (let tries = 0; ; tries++) {
    try {
      return await run()
    } catch (error) {
      if (tries === 100) throw error
      await sleep(10)
    }
  }
}
