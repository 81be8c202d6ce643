/** ZooKeeper through faults: lost requests, servers that are paused or killed, an ensemble that has forgotten. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocks, type LockDriver, LockUnavailableError, zookeeper } from 'latchkey/locks'
import { children } from '#dist/locks/drivers/zookeeper/requests.js'
import { Session } from '#dist/locks/drivers/zookeeper/session.js'
import { eventually } from '../../support/eventually.js'
import { FrameFaults } from '../../support/frame-faults.js'
import {
  requireZooKeeper,
  startZooKeeper,
  type ZooKeeperEnsemble,
  type ZooKeeperServer,
} from '../../support/zookeeper.js'
import { call, claimOf, held, ownerOf } from './case.js'
import { stepCases } from './step-cases.js'

const shortMs = 500

test('ZooKeeper', { concurrency: true }, async (t) => {
  if (!requireZooKeeper(t)) return
  const subtests = Object.entries(cases).map(([name, [count, run]]) => t.test(name, () => withEnsemble(count, run)))
  await Promise.all(subtests)
})

async function withEnsemble(count: number, run: (ensemble: ZooKeeperEnsemble) => Promise<void>): Promise<void> {
  const ensemble = await startZooKeeper(count)
  try {
    await run(ensemble)
  } finally {
    await ensemble.stop()
  }
}

const cases: Record<string, [count: number, run: (ensemble: ZooKeeperEnsemble) => Promise<void>]> = {
  'every request lost in turn; what is over leaves neither nodes nor sessions; accounts; leases that it cannot grant': [
    1,
    async ({ members: [member], servers }) => {
      const witness = zookeeper({ servers })
      for (const run of Object.values(stepCases)) {
        const faults = await FrameFaults.start(member)
        await run({ faults, witness, create: () => zookeeper({ servers: faults.address }) })
        await faults.stop()
      }
      for (const ttlMs of [61_000, 30 * 86_400_000]) {
        const wrong = { code: 'LOCK_ARGUMENT', message: /60000 ms at most/ }
        await assert.rejects(witness.claim(claimOf('latchkey:lock:k', { ttlMs }), call), wrong)
      }

      const registers = witness.registers!
      for (let i = 0; i < 10; i++) await registers.swap(`over${i}`, 'x', undefined, 1, call)
      let begun = 0
      await eventually('registers that are over are taken away by who begins others', async () => {
        await registers.swap(`new${begun++}`, 'x', undefined, 60_000, call)
        return !(await namesIn(member, '/latchkey')).some((name) => name.includes(':over'))
      })

      await anyKey(witness)
      const before = await member.counts()
      const locks = createLocks(zookeeper({ servers }), { deadlineMs: 20_000 })
      const controller = new AbortController()
      const holder = await locks.acquire('k', { ttl: '40s', renew: 'thread' })
      await holder.extend('50s')
      const waits = [1, 2, 3].map(() => locks.acquire('k', { ttl: '40s', wait: '20s', signal: controller.signal }))
      await eventually('three wait', async () => (await locks.inspect('k'))?.waiters === 3)
      await assert.rejects(locks.acquire('k', { ttl: '40s', wait: '100ms' }), { code: 'LOCK_WAIT_TIMEOUT' })
      controller.abort(new Error('enough'))
      assert.deepEqual(new Set((await Promise.allSettled(waits)).map(({ status }) => status)), new Set(['rejected']))
      await holder.release()
      await locks.close()
      const after = await member.counts()
      assert.equal(after.nodes, before.nodes)
      // The helper thread extended it: that session ends by its timeout.
      assert.ok(after.sessions <= before.sessions + 1, `${after.sessions} sessions, ${before.sessions} before`)

      const [mine, theirs] = ['me:secret', 'them:secret'].map((digest) => zookeeper({ servers, digest }))
      const lease = held(await mine.claim(claimOf('latchkey:lock:mine'), call))
      await assert.rejects(theirs.find(lease.key, call), /not allowed/)
      await assert.rejects(theirs.claim(claimOf(lease.key), call), LockUnavailableError)
      assert.equal((await mine.claim(claimOf(lease.key), call)).status, 'busy')
      await Promise.all([witness, mine, theirs].map((driver) => driver.close()))
    },
  ],

  'a server that was paused past the lease keeps nothing alive as it goes on; a killed leader is no loss': [
    3,
    async ({ members, servers }) => {
      const modes = await Promise.all(members.map((member) => member.answers()))
      const leader = members[modes.indexOf('leader')]
      const paused = members.find((member) => member !== leader)!
      const others = servers.filter((server) => server !== paused.address)
      const [stale, fresh, any] = [[paused.address], others, servers].map((list) => zookeeper({ servers: list }))
      const old = held(await stale.claim(claimOf('latchkey:lock:k', { ttlMs: shortMs }), call))
      const kept = held(await any.claim(claimOf('latchkey:lock:kept'), call))
      paused.signal('SIGSTOP')
      const locks = createLocks(fresh, { deadlineMs: 1000 })
      const next = await locks.acquire('k', { ttl: '30s', wait: '40s' })
      assert.ok(next.fence > old.fence!)
      const extending = stale.extend(old, 20_000, call).catch((error) => error)
      paused.signal('SIGCONT')
      const extended = await extending
      assert.ok(extended === undefined || extended instanceof Error, 'extended what another has')
      assert.equal(await ownerOf(fresh, old.key), next.owner)
      const { faults } = await locks.explain('k', 'lease')
      const survived = faults.filter(({ verdict }) => verdict === 'survived').map(({ fault }) => fault)
      for (const fault of ['the server restarts', 'another server takes over'])
        assert.ok(survived.includes(fault), fault)
      await leader.kill()
      const short = { ...call, deadlineMs: 2000 }
      const again = await eventually('others go on', () => any.extend(kept, 30_000, short).catch(() => undefined))
      assert.equal(again.fence, kept.fence)
      await Promise.all([locks, stale, any].map((each) => each.close()))
    },
  ],

  'killed and started again it has its locks and its count; one that has forgotten lets in nobody who was there before':
    [
      1,
      async ({ members: [member], servers }) => {
        const driver = zookeeper({ servers })
        const first = held(await driver.claim(claimOf('latchkey:lock:k'), call))
        await member.kill()
        await assert.rejects(driver.find(first.key, call), LockUnavailableError)
        member.start()
        await member.answers()
        assert.equal((await driver.claim(claimOf(first.key), call)).status, 'busy')
        const extended = await driver.extend(first, 30_000, call)
        assert.equal(extended?.fence, first.fence)
        assert.equal(await driver.release(first.key, extended!.version, call), true)
        assert.ok(held(await driver.claim(claimOf(first.key), call)).fence! > first.fence!)

        await member.kill()
        member.forget()
        member.start()
        await member.answers()
        await assert.rejects(driver.claim(claimOf(first.key), call), LockUnavailableError)
        const newcomer = zookeeper({ servers })
        held(await newcomer.claim(claimOf(first.key), call))
        await assert.rejects(driver.find(first.key, call), LockUnavailableError)
        await Promise.all([driver.close(), newcomer.close()])
      },
    ],
}

test('options of ZooKeeper that make no sense are refused', () => {
  for (const options of [{ servers: [] }, { servers: 'http://x' }, { root: 'x' }, { root: '/' }, { nothing: 1 }])
    assert.throws(() => zookeeper(options as never), { code: 'LOCK_ARGUMENT' })
})

/** Each is a node of its own, and is found again. */
async function anyKey(driver: LockDriver): Promise<void> {
  const keys = ['.', '..', 'a/b', 'a', '%2F', 'ä😀', '\u200b', 'a%', '/']
  for (const key of keys) held(await driver.claim(claimOf(key), call))
  const found: string[] = []
  for await (const { key } of driver.list('', call)) found.push(key)
  assert.deepEqual(found.filter((key) => !key.startsWith('latchkey')).sort(), keys.sort())
}

async function namesIn({ host, port }: ZooKeeperServer, node: string): Promise<string[]> {
  const session = await Session.open({ host, port }, { timeoutMs: 10_000, lastZxid: 0n, digest: undefined }, 20_000)
  try {
    return await children(session, node, 20_000)
  } finally {
    await session.close(20_000)
  }
}
