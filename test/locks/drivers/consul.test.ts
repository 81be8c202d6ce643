/** Consul, as far as a model of it can tell, through lost requests, and with sessions that are longer than the lease. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { consul, createLocks, LockUnavailableError } from 'latchkey/locks'
import { type ConsulServer, startConsul } from '../../support/consul.js'
import { eventually } from '../../support/eventually.js'
import { HttpFaults } from '../../support/http-faults.js'
import { call, claimOf, held, ownerOf } from './case.js'
import { stepCases } from './step-cases.js'

async function withConsul(run: (server: ConsulServer) => Promise<void>, leastTtlMs?: number): Promise<void> {
  const server = await startConsul(leastTtlMs)
  try {
    await run(server)
  } finally {
    await server.stop()
  }
}

test('every request to Consul lost in turn', () =>
  withConsul(async (server) => {
    const witness = consul({ endpoints: server.address })
    for (const run of Object.values(stepCases)) {
      const faults = await HttpFaults.start({ host: server.host, port: server.port })
      await run({ faults, witness, create: () => consul({ endpoints: faults.address }) })
      await faults.stop()
    }
    await witness.close()
  }))

test('what is over leaves no session', () =>
  withConsul(async (server) => {
    const locks = createLocks(consul({ endpoints: server.address }), { deadlineMs: 20_000 })
    const holder = await locks.acquire('k', { ttl: '40s', renew: 'thread' })
    await holder.extend('50s')
    await assert.rejects(locks.acquire('k', { ttl: '40s', wait: '100ms' }))
    await holder.release()
    await locks.close()
    await eventually('no session is left', async () => (await server.sessions()) === 0)
  }))

test('a register is over when no clock can be so wrong, and is taken away by who begins others', () =>
  withConsul(async (server) => {
    const driver = consul({ endpoints: server.address })
    const registers = driver.registers!
    const put = async (key: string, agoMs: number) => {
      const Value = Buffer.from(`${Date.now() - agoMs} old`).toString('base64')
      await server.put('/v1/txn', [{ KV: { Verb: 'set', Key: `latchkey:register:${key}`, Value } }])
    }
    const all = async () => {
      const txn = [{ KV: { Verb: 'get-tree', Key: 'latchkey:register:' } }]
      const { Results } = (await server.put('/v1/txn', txn)) as { Results: { KV: { Key: string } }[] }
      return Results.map(({ KV }) => KV.Key.slice('latchkey:register:'.length)).sort()
    }
    await put('late', 50_000)
    for (let i = 0; i < 10; i++) await put(`over${i}`, 70_000)
    assert.equal((await registers.read('late', call))?.value, 'old')
    assert.equal(await registers.read('over0', call), undefined)
    assert.notEqual(await registers.swap('over0', 'new', undefined, 60_000, call), undefined)
    assert.equal((await registers.read('over0', call))?.value, 'new')
    for (let i = 0; (await all()).some((key) => /over[1-9]/.test(key)); i++) {
      assert.ok(i < 20, `${await all()} are left`)
      await registers.swap(`new${i}`, 'new', undefined, 60_000, call)
      await sleep(20)
    }
    assert.equal((await registers.read('late', call))?.value, 'old')
    assert.equal((await registers.read('new0', call))?.value, 'new')
    await driver.close()
  }))

test('a lease that is shorter than Consul’s shortest session is held by one of those', () =>
  withConsul(async (server) => {
    const driver = consul({ endpoints: server.address })
    for (let turn = 0; turn < 2; turn++) {
      const lease = held(await driver.claim(claimOf('k', { ttlMs: 500 }), call))
      await sleep(800)
      assert.equal(await ownerOf(driver, 'k'), lease.holder.owner)
      assert.equal(await driver.release('k', lease.version, call), true)
    }
    await assert.rejects(driver.claim(claimOf('k', { ttlMs: 25 * 3_600_000 }), call), { code: 'LOCK_ARGUMENT' })
    await driver.close()
  }, 10_000))

test('after the end of a holder nobody gets the lock for lockDelay; after a release, at once', () =>
  withConsul(async (server) => {
    const driver = consul({ endpoints: server.address, lockDelay: '1s' })
    held(await driver.claim(claimOf('k', { ttlMs: 300 }), call))
    await eventually('its lease is over', async () => (await driver.find('k', call)) === undefined)
    assert.equal((await driver.claim(claimOf('k'), call)).status, 'busy')
    const lease = await eventually('the delay is over', async () => {
      const result = await driver.claim(claimOf('k'), call)
      return result.status === 'held' && result.lease
    })
    const extended = await driver.extend(lease, 20_000, call)
    assert.equal(await driver.release('k', extended!.version, call), true)
    held(await driver.claim(claimOf('k'), call))
    await driver.close()
  }))

test('of several agents one is down: another is asked', () =>
  withConsul(async (server) => {
    const driver = consul({ endpoints: ['127.0.0.1:1', server.address] })
    held(await driver.claim(claimOf('k'), call))
    const nobody = consul({ endpoints: '127.0.0.1:1' })
    await assert.rejects(nobody.claim(claimOf('k'), call), LockUnavailableError)
    await Promise.all([driver.close(), nobody.close()])
  }))

test('options of Consul that make no sense are refused', () => {
  for (const options of [{ endpoints: [] }, { lockDelay: '2m' }, { lockDelay: 'x' }, { nothing: 1 }])
    assert.throws(() => consul(options as never), { code: 'LOCK_ARGUMENT' })
})
