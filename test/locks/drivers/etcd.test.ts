/** etcd through faults: lost requests, members that are paused or killed, a cluster that has forgotten. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLocks, type EtcdOptions, etcd, LockUnavailableError, type Version } from 'latchkey/locks'
import { type EtcdCluster, type EtcdMember, requireEtcd, startEtcd } from '../../support/etcd.js'
import { eventually } from '../../support/eventually.js'
import { HttpFaults } from '../../support/http-faults.js'
import { call, claimOf, held, ownerOf } from './case.js'
import { stepCases } from './step-cases.js'

const shortMs = 1900

async function withEtcd(count: number, run: (cluster: EtcdCluster) => Promise<void>): Promise<void> {
  const cluster = await startEtcd(count)
  try {
    await run(cluster)
  } finally {
    await cluster.stop()
  }
}

test('etcd', { concurrency: true }, async (t) => {
  if (!requireEtcd(t)) return
  const subtests = Object.entries(cases).map(([name, [count, run]]) => t.test(name, () => withEtcd(count, run)))
  await Promise.all(subtests)
})

const cases: Record<string, [members: number, run: (cluster: EtcdCluster) => Promise<void>]> = {
  'every request lost in turn': [
    1,
    async ({ members, endpoints }) => {
      const witness = etcd({ endpoints })
      for (const run of Object.values(stepCases)) {
        const faults = await HttpFaults.start(members[0])
        await run({ faults, witness, create: () => etcd({ endpoints: faults.address }) })
        await faults.stop()
      }
      await witness.close()
    },
  ],

  'what is over leaves neither keys nor leases': [
    1,
    async ({ members, endpoints }) => {
      const driver = etcd({ endpoints })
      let version: Version | undefined
      for (const value of 'abc') version = await driver.registers!.swap('r', value, version, 2_500, call)
      assert.equal(await driver.registers!.swap('r', 'd', undefined, 60_000, call), undefined)
      const locks = createLocks(driver, { deadlineMs: 20_000 })
      const controller = new AbortController()
      const holder = await locks.acquire('k', { ttl: '40s', renew: 'thread' })
      await holder.extend('50s')
      const waits = [1, 2, 3].map(() => locks.acquire('k', { ttl: '40s', wait: '20s', signal: controller.signal }))
      await eventually('three wait', async () => (await locks.inspect('k'))?.waiters === 3)
      await assert.rejects(locks.acquire('k', { ttl: '40s', wait: '100ms' }))
      controller.abort(new Error('enough'))
      assert.deepEqual(new Set((await Promise.allSettled(waits)).map(({ status }) => status)), new Set(['rejected']))
      await holder.release()
      await eventually('the register is over', async () => (await driver.registers!.read('r', call)) === undefined)
      await locks.close()
      assert.deepEqual(await leasesOf(members[0]), [])
      const { count } = await members[0].post('/v3/kv/range', { key: 'AA==', range_end: 'AA==' })
      assert.equal(count, undefined)
    },
  ],

  'a member that led, and was paused past the lease, keeps nothing alive as it goes on; killed members are no loss': [
    3,
    async ({ members, endpoints }) => {
      const leader = await leaderOf(members)
      const others = endpoints.filter((endpoint) => endpoint !== leader.address)
      const [stale, fresh, any] = [[leader.address], others, endpoints].map((list) => etcd({ endpoints: list }))
      const old = held(await stale.claim(claimOf('latchkey:lock:k', { ttlMs: shortMs }), call))
      const kept = held(await any.claim(claimOf('latchkey:lock:kept'), call))
      leader.signal('SIGSTOP')
      const locks = createLocks(fresh, { deadlineMs: 1000 })
      const next = await locks.acquire('k', { ttl: '30s', wait: '40s' })
      const { faults } = await locks.explain('k', 'lease')
      const survived = faults.filter(({ verdict }) => verdict === 'survived').map(({ fault }) => fault)
      for (const fault of ['the server restarts', 'another server takes over'])
        assert.ok(survived.includes(fault), fault)
      assert.ok(next.fence > old.fence!)
      // Sent while it still believes that it leads.
      const extending = stale.extend(old, 20_000, call).catch((error) => error)
      leader.signal('SIGCONT')
      const extended = await extending
      assert.ok(extended === undefined || extended instanceof Error, 'extended what another has')
      assert.equal(await ownerOf(any, old.key), next.owner)
      await members.find((member) => member !== leader)!.kill()
      const again = await eventually('the others go on', () =>
        any.extend(kept, 30_000, { ...call, deadlineMs: 1000 }).catch(() => undefined),
      )
      assert.equal(again.fence, kept.fence)
      await Promise.all([locks, stale, any].map((each) => each.close()))
    },
  ],

  'killed and started again it has its locks and its count; one that has forgotten is not asked': [
    1,
    async ({ members: [member], endpoints }) => {
      const driver = etcd({ endpoints, maxLease: '3s' })
      const claim = (name: string) => claimOf(`latchkey:lock:${name}`, { ttlMs: 3000 })
      for (let i = 0; i < 5; i++) {
        const { key, version } = held(await driver.claim(claim('often'), call))
        await driver.release(key, version, call)
      }
      const before = held(await driver.claim(claim('k'), call))
      await member.kill()
      await assert.rejects(driver.find(before.key, call), LockUnavailableError)
      await member.start()
      await member.answers()
      assert.equal((await driver.claim(claim('k'), call)).status, 'busy')
      const extended = await driver.extend(before, 3000, call)
      assert.equal(extended?.fence, before.fence)

      await member.kill()
      member.forget()
      await member.start()
      await member.answers()
      const refused = await driver.claim(claim('k'), call).catch((error) => error)
      assert.ok(refused instanceof LockUnavailableError, `${refused}`)
      assert.match(refused.message, /restored/)
      assert.ok(refused.retryAfterMs! > 0 && refused.retryAfterMs! <= 3000)
      assert.equal(await ownerOf(driver, before.key), undefined, 'what was given is taken back')
      assert.equal((await driver.claim({ ...claim('careless'), guarantee: 'efficiency' }, call)).status, 'held')
      await sleep(refused.retryAfterMs!)
      await assert.rejects(driver.claim(claim('k'), call), /not yet above/)
      held(await driver.claim({ ...claim('unfenced'), guarantee: 'lease' }, call))
      const fresh = etcd({ endpoints })
      for (let turn = 0; turn < 20; turn++) {
        const { key, version } = held(await fresh.claim(claim('other'), call))
        await fresh.release(key, version, call)
      }
      await driver.find(before.key, call)
      assert.ok(held(await driver.claim(claim('k'), call)).fence! > before.fence!)
      await Promise.all([driver.close(), fresh.close()])
    },
  ],

  'with accounts, a token that has ended is drawn anew': [
    1,
    async ({ members: [member], endpoints }) => {
      await member.post('/v3/auth/user/add', { name: 'root', password: 'secret' })
      await member.post('/v3/auth/role/add', { name: 'root' })
      await member.post('/v3/auth/user/grant', { user: 'root', role: 'root' })
      await member.post('/v3/auth/enable', {})
      const driver = etcd({ endpoints, username: 'root', password: 'secret' })
      const lease = held(await driver.claim(claimOf('latchkey:lock:k'), call))
      // Which its tokens do not outlive.
      await member.kill()
      await member.start()
      await member.answers()
      assert.equal(await driver.release(lease.key, lease.version, call), true)
      const wrong: EtcdOptions[] = [{ username: 'root', password: 'wrong' }, {}]
      for (const options of wrong) {
        const stranger = etcd({ endpoints, ...options })
        await assert.rejects(stranger.claim(claimOf('latchkey:lock:k'), call), LockUnavailableError)
        await stranger.close()
      }
      await driver.close()
    },
  ],
}

test('options of etcd that make no sense are refused', () => {
  for (const options of [
    { endpoints: [] },
    { endpoints: 'ftp://x' },
    { maxLease: 0 },
    { maxLease: 'x' },
    { nothing: 1 },
  ])
    assert.throws(() => etcd(options as never), { code: 'LOCK_ARGUMENT' })
})

async function leasesOf(member: EtcdMember): Promise<unknown[]> {
  const { leases = [] } = await member.post('/v3/lease/leases', {})
  return leases as unknown[]
}

async function leaderOf(members: readonly EtcdMember[]): Promise<EtcdMember> {
  for (const member of members) {
    const { header, leader } = (await member.post('/v3/maintenance/status', {})) as {
      header: { member_id: string }
      leader: string
    }
    if (header.member_id === leader) return member
  }
  throw new Error('nobody leads')
}
