/** Servers that have restarted inside a lease have no vote until it must be over. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { bytes, createClient } from 'latchkey/client'
import { createLocks, type LockDriver, LockUnavailableError, memcached } from 'latchkey/locks'
import { FaultProxy } from 'latchkey/torture'
import { requirePeer } from '../../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../../support/process.js'
import { call, claimOf, held, ownerOf } from './case.js'

const maxLeaseMs = 2000

const kinds: Record<string, (t: TestContext, port?: number) => Promise<ServerProcess | undefined>> = {
  'Latchkey without a state directory': (_, port = 0) => startLatchkey({ threads: 2, args: ['-p', `${port}`] }),
  memcached: async (t, port) =>
    requirePeer(t, '/usr/bin/memcached') ? startMemcached(port === undefined ? [] : ['-p', `${port}`]) : undefined,
}

const claim = (name: string) => claimOf(`latchkey:lock:${name}`, { ttlMs: maxLeaseMs })

for (const [name, start] of Object.entries(kinds)) {
  test(`${name}: a server that has restarted has no vote for the longest lease`, async (t) => {
    const startedAt = performance.now()
    const first = await start(t)
    if (first === undefined) return
    const proxy = await FaultProxy.start(first)
    const servers = `${proxy.host}:${proxy.port}`
    const driver = memcached({ servers, maxLease: maxLeaseMs })
    let second: ServerProcess | undefined
    try {
      const refused = await refusal(driver, 'k')
      assert.ok(refused.retryAfterMs! > 0 && refused.retryAfterMs! <= maxLeaseMs + 3000, `${refused.retryAfterMs}`)
      // memcached counts from 2, and by a clock that ticks: not a moment before the longest lease is over.
      const ranMs = performance.now() - startedAt
      assert.ok(refused.retryAfterMs! + ranMs >= maxLeaseMs, `${refused.retryAfterMs} after ${ranMs}`)
      held(await driver.claim({ ...claim('careless'), guarantee: 'efficiency' }, call))
      const lease = await whenBelieved(driver, 'k', maxLeaseMs)

      proxy.cutAll('fin')
      await t.test('a mere blip of the connection changes nothing', async () => {
        for (let tries = 0; ; tries++) {
          const result = await driver.claim(claim(`blip${tries}`), call).catch((error) => error)
          if (!(result instanceof Error)) {
            held(result)
            return
          }
          // Not restarted, only not reached.
          assert.equal((result as LockUnavailableError).retryAfterMs, undefined)
          assert.ok(tries < 100)
          await sleep(10)
        }
      })

      await first.stop()
      second = await start(t, first.port)
      await untilAnswered(driver)
      await refusal(driver, 'k')
      assert.equal(await driver.extend(lease, maxLeaseMs, call), undefined, 'not made anew')
      await t.test('nor does what it grants look like what was granted before', () =>
        oldVersionsAreNobodys(second!, driver, lease.version as bigint),
      )
    } finally {
      await driver.close()
      await proxy.stop()
      await first.stop()
      await second?.stop()
    }
  })
}

test('a lease longer than maxLease is refused, and it is said which option that is', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached')) return
  const server = await startMemcached()
  const driver = memcached({ servers: `${server.host}:${server.port}`, maxLease: '5s', freshServers: 'trust' })
  try {
    const wrong = { name: 'LockArgumentError', message: /maxLease/ }
    await assert.rejects(driver.claim({ ...claim('k'), ttlMs: 5001 }, call), wrong)
    const lease = held(await driver.claim({ ...claim('k'), ttlMs: 5000 }, call))
    await assert.rejects(driver.extend(lease, 5001, call), wrong)
    assert.ok(await driver.extend(lease, 5000, call))
    for (const ttlMs of [1, 1999]) {
      await assert.rejects(driver.claim({ ...claim('short'), ttlMs }, call), /2 seconds to 30 days/)
      await assert.rejects(driver.extend(lease, ttlMs, call), /2 seconds to 30 days/)
    }
    const patient = memcached({ servers: `${server.host}:${server.port}`, maxLease: '40d', freshServers: 'trust' })
    await assert.rejects(patient.claim({ ...claim('long'), ttlMs: 31 * 86_400_000 }, call), /2 seconds to 30 days/)
    assert.equal(await patient.find(claim('long').key, call), undefined)
    await patient.close()
  } finally {
    await driver.close()
    await server.stop()
  }
})

for (const [name, start] of Object.entries(kinds)) {
  test(`${name}: no lease is extended beyond maxLease, but where that does not matter`, async (t) => {
    const server = await start(t)
    if (server === undefined) return
    const driver = memcached({ servers: `${server.host}:${server.port}`, maxLease: '5s', freshServers: 'trust' })
    try {
      const lease = held(await driver.claim(claim('k'), call))
      await assert.rejects(driver.extend(lease, 5001, call), { name: 'LockArgumentError', message: /maxLease/ })
      const idle = held(await driver.claim({ ...claim('idle'), ttlMs: 9000, guarantee: 'efficiency' }, call))
      assert.ok(await driver.extend(idle, 9000, call))
    } finally {
      await driver.close()
      await server.stop()
    }
  })
}

for (const [name, start] of Object.entries(kinds)) {
  test(`${name}: explain tells that a restart is survived by who waits it out, and by nobody else`, async (t) => {
    const server = await start(t)
    if (server === undefined) return
    try {
      for (const freshServers of ['wait', 'trust'] as const) {
        await using locks = createLocks(memcached({ servers: `${server.host}:${server.port}`, freshServers }))
        const { faults } = await locks.explain('any', 'lease')
        const { verdict } = faults.find(({ fault }) => fault === 'the server restarts')!
        assert.equal(verdict, freshServers === 'wait' ? 'survived' : 'not survived')
      }
    } finally {
      await server.stop()
    }
  })
}

test('on one Latchkey, clients of either protocol draw their fences from one source', async () => {
  const server = await startLatchkey({ threads: 1 })
  const servers = `${server.host}:${server.port}`
  const drivers = (['auto', 'classic', 'auto', 'classic'] as const).map((protocol) =>
    memcached({ servers, protocol, freshServers: 'trust' }),
  )
  try {
    let last = 0n
    for (const driver of drivers) {
      const lease = held(await driver.claim(claim('k'), call))
      assert.ok(lease.fence! > last, `${lease.fence} after ${last}`)
      assert.equal((await driver.find(lease.key, call))?.fence, lease.fence)
      const extended = await driver.extend(lease, maxLeaseMs, call)
      assert.equal((await driver.find(lease.key, call))?.fence, lease.fence)
      assert.equal(await driver.release(lease.key, extended!.version, call), true)
      last = lease.fence!
    }
  } finally {
    for (const driver of drivers) await driver.close()
    await server.stop()
  }
})

test('the errors of users name the lock, not its key', async () => {
  const proxy = await FaultProxy.start({ host: '127.0.0.1', port: 9 })
  await proxy.refuse()
  const locks = createLocks(memcached({ servers: `${proxy.host}:${proxy.port}` }))
  const wrong = { code: 'LOCK_UNAVAILABLE', lock: 'one', message: /^one cannot be had/ }
  await assert.rejects(locks.acquire('one'), wrong)
  await assert.rejects(locks.inspect('one'), wrong)
  await assert.rejects(locks.forceRelease('one'), { lock: 'one', message: /^one cannot be had/ })
  await assert.rejects(locks.explain('one'), wrong)
  await locks.close()
})

test('options that make no sense are refused', async () => {
  for (const options of [
    { maxLease: 0 },
    { maxLease: 'soon' },
    { freshServers: 'no' },
    { servers: [] },
    { nothing: 1 },
  ])
    assert.throws(
      () => memcached(options as never),
      /LockArgumentError|InvalidArgumentError|maxLease|freshServers|option|server/,
    )
  const client = createClient()
  assert.throws(() => memcached(client, { servers: 'x' } as never), /no option servers/)
  await client.close()
})

async function refusal(driver: LockDriver, name: string): Promise<LockUnavailableError> {
  const error = await driver.claim(claim(name), call).catch((error) => error)
  assert.ok(error instanceof LockUnavailableError, `${error}`)
  assert.match(error.message, /started/)
  return error
}

/** As soon as it says that it will be. */
async function whenBelieved(driver: LockDriver, name: string, leastMs: number) {
  const startedAt = performance.now()
  for (let tries = 0; tries < 20; tries++) {
    const result = await driver.claim(claim(name), call).catch((error) => error)
    if (!(result instanceof LockUnavailableError)) {
      assert.ok(performance.now() - startedAt > leastMs - 1500, 'too early')
      return held(result)
    }
    await sleep(result.retryAfterMs!)
  }
  throw new Error('it never believes')
}

async function untilAnswered(driver: LockDriver): Promise<void> {
  while ((await driver.find(claim('k').key, call).catch((error) => error)) instanceof LockUnavailableError)
    await sleep(10)
}

/** On memcached the tokens begin anew: 1, 2, 3, … */
async function oldVersionsAreNobodys(server: ServerProcess, driver: LockDriver, version: bigint): Promise<void> {
  const client = createClient({ servers: `${server.host}:${server.port}`, codec: bytes() })
  const { key } = claim('k')
  const old = BigInt.asUintN(64, version)
  const owner = 'f'.repeat(32)
  for (let i = 0; i < 100; i++) {
    await client.set(key, Buffer.from(`{"o":"${owner}","f":"1"}`))
    if ((await client.gets(key))!.cas === old) break
  }
  assert.equal(await driver.release(key, version, call), false)
  assert.equal(await ownerOf(driver, key), owner)
  await client.close()
}
