/** What is Redis' own: servers that have forgotten, replicas, memory, turns that nobody takes. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import {
  createLocks,
  type LockDriver,
  type Locks,
  LockUnavailableError,
  type RedisLockOptions,
  redis,
} from 'latchkey/locks'
import { eventually } from '../../support/eventually.js'
import { RedisServer, requireRedis } from '../../support/redis.js'
import { call, claimOf, collect, held } from './case.js'

const maxLeaseMs = 800
const TURN_MS = 1000

type Options = Partial<RedisLockOptions>

interface Setting {
  readonly server: RedisServer
  readonly admin: Redis
  /** Trusts, unless told otherwise. */
  create(options?: Options, server?: RedisServer): LockDriver
  createLocks(options?: Options, server?: RedisServer): Locks
}

async function withRedis(t: TestContext, args: string[], run: (setting: Setting) => Promise<void>): Promise<void> {
  if (!requireRedis(t)) return
  const server = await RedisServer.start(args)
  const ends: (() => Promise<void>)[] = []
  const create = (options: Options = {}, { host, port } = server) => {
    const client = new Redis({ host, port, lazyConnect: true })
    const driver = redis({ client, freshServers: 'trust', ...options })
    ends.push(() => driver.close())
    return driver
  }
  const make = (options?: Options, at?: RedisServer) => {
    const locks = createLocks(create(options, at), { ttl: '1s', deadlineMs: 5000 })
    ends.push(() => locks.close())
    return locks
  }
  try {
    await run({ server, admin: server.connect(), create, createLocks: make })
  } finally {
    for (const end of ends.reverse()) await end()
    await server.stop()
  }
}

const waiting = { freshServers: 'wait', maxLease: maxLeaseMs } as const
const claim = (name: string, changes = {}) => claimOf(`latchkey:lock:${name}`, { ttlMs: 700, ...changes })

/** It must say for how long, and then give it. */
async function refusedAndThenGiven(driver: LockDriver, name: string) {
  const error = await eventually('an answer', async () => {
    const error = await driver.claim(claim(name), call).catch((error) => error)
    // Not merely a connection that has broken.
    return error instanceof LockUnavailableError && error.retryAfterMs === undefined ? undefined : error
  })
  assert.ok(error instanceof LockUnavailableError, `given: ${JSON.stringify(error.status)}`)
  assert.ok(error.retryAfterMs! > 0 && error.retryAfterMs! <= maxLeaseMs, `${error.retryAfterMs}`)
  await sleep(error.retryAfterMs!)
  return eventually('it is given', async () => {
    const result = await driver.claim(claim(name), call).catch(() => undefined)
    return result?.status === 'held' && result.lease
  })
}

test('a Redis that has forgotten gives no lock until the longest lease is over, and fences rise', async (t) => {
  await withRedis(t, [], async ({ server, admin, create }) => {
    const driver = create(waiting)
    const first = await refusedAndThenGiven(driver, 'k')
    held(await driver.claim(claim('careless', { guarantee: 'efficiency' }), call))

    await t.test('flushed', async () => {
      await admin.flushall()
      const second = await refusedAndThenGiven(driver, 'k')
      assert.ok(second.fence! > first.fence!)
      assert.equal(await driver.extend(first, 700, call), undefined)
    })

    await t.test('killed and started again', async () => {
      const before = held(await driver.claim(claim('other'), call))
      await server.restart()
      const after = await refusedAndThenGiven(driver, 'other')
      assert.ok(after.fence! > before.fence!)
      assert.equal(await driver.release(before.key, before.version, call), false)
    })

    await t.test('a connection that breaks is no such thing', async () => {
      await admin.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      const result = await eventually('held', () => driver.claim(claim('blip'), call).catch(() => undefined))
      held(result)
    })
  })
})

test('what is written to the disk each time outlives a kill: its holder goes on, and nobody else gets it', async (t) => {
  await withRedis(t, ['--appendonly', 'yes', '--appendfsync', 'always'], async ({ server, create }) => {
    const driver = create()
    const lease = held(await driver.claim(claim('k', { ttlMs: 30_000 }), call))
    await server.restart()
    const extended = await eventually('extended', () => driver.extend(lease, 30_000, call).catch(() => undefined))
    assert.equal((await driver.claim(claim('k'), call)).status, 'busy')
    assert.equal((await driver.facts(lease.key, call)).survivesRestart, true)
    assert.equal(await driver.release(lease.key, extended.version, call), true)
    assert.ok(held(await driver.claim(claim('k'), call)).fence! > lease.fence!)
  })
})

test('a replica that takes over gives no lock until the longest lease is over; explain tells what is left', async (t) => {
  await withRedis(t, ['--repl-diskless-sync-delay', '0'], async ({ server, createLocks, create }) => {
    const replica = await RedisServer.start(['--replicaof', server.host, `${server.port}`])
    try {
      const other = replica.connect()
      await eventually('it follows', async () => (await other.info('replication')).includes('master_link_status:up'))
      const lease = await refusedAndThenGiven(create(waiting), 'k')
      await eventually('replicated', async () => (await other.hlen('latchkey:lock-server')) === 3)
      const onReplica = create(waiting, replica)
      await assert.rejects(onReplica.claim(claim('k'), call), /READONLY/)
      const { faults, text } = await createLocks(waiting).explain('k')
      const verdict = (name: string) => faults.find(({ fault }) => fault === name)?.verdict
      assert.equal(verdict('another server takes over'), 'fenced')
      assert.equal(verdict('the server restarts'), 'survived')
      assert.match(text, /replicas/)
      await server.kill()
      await other.replicaof('NO', 'ONE')
      const next = await refusedAndThenGiven(onReplica, 'k')
      assert.ok(next.fence! > lease.fence!)
    } finally {
      await replica.stop()
    }
  })
})

test('explain tells that a restart is not survived by who trusts, and an eviction policy', async (t) => {
  await withRedis(t, ['--maxmemory', '50mb', '--maxmemory-policy', 'volatile-ttl'], async ({ createLocks }) => {
    const { faults, text } = await createLocks().explain('k', 'lease')
    const verdict = (name: string) => faults.find(({ fault }) => fault === name)?.verdict
    assert.equal(verdict('the server restarts'), 'not survived')
    assert.equal(verdict('the server is full'), 'not survived')
    assert.equal(verdict('another server takes over'), undefined)
    assert.match(text, /volatile-ttl/)
    assert.match(text, /^Redis \d/)
  })
})

test('fences rise although the clock was set back', async (t) => {
  await withRedis(t, [], async ({ admin, create }) => {
    const ahead = BigInt(Date.now() + 3_600_000) * 1000n
    await admin.hset('latchkey:lock-server', 'fence', `${ahead}`)
    assert.equal(held(await create().claim(claim('k'), call)).fence, ahead + 1n)
  })
})

test('full: no new lock, and those there are can be extended and released', async (t) => {
  await withRedis(t, [], async ({ admin, create }) => {
    const driver = create()
    const lease = held(await driver.claim(claim('k', { ttlMs: 30_000 }), call))
    await admin.config('SET', 'maxmemory', '1')
    await assert.rejects(driver.claim(claim('new'), call), LockUnavailableError)
    const extended = await driver.extend(lease, 30_000, call)
    assert.ok(extended !== undefined)
    assert.equal(await driver.find(claim('new').key, call), undefined)
    assert.equal(await driver.release(lease.key, extended.version, call), true)
    assert.equal((await driver.facts('k', call)).evicts, false)
  })
})

test('a turn that nobody takes goes to the next: of who is gone at once, of who is stopped after a moment', async (t) => {
  await withRedis(t, [], async ({ server, admin, create }) => {
    const driver = create()
    const queue = 'latchkey:queue:latchkey:lock:k'
    const mute = server.connect()
    await mute.subscribe('somebody')
    const holder = held(await driver.claim(claim('k', { ttlMs: 30_000 }), call))
    await admin.zadd(queue, 1, `${'a'.repeat(32)} nobody`, 2, `${'b'.repeat(32)} somebody`)
    const wait = driver.claim(claim('k', { waitMs: 30_000 }), call)
    await eventually('three wait', async () => (await driver.find(holder.key, call))?.waiters === 3)
    await driver.release(holder.key, holder.version, call)
    const startedAt = performance.now()
    const [first, score] = await admin.zrange(queue, 0, 0, 'WITHSCORES')
    assert.match(first, /somebody/, 'who is gone was passed over at once')
    assert.ok(Number(score) < 0, 'the next one has its turn')
    assert.equal((await driver.claim(claim('k'), call)).status, 'busy', 'it is the turn of the one who is stopped')
    const lease = held(await wait)
    assert.ok(performance.now() - startedAt > TURN_MS / 2, 'the stopped one had no time')
    assert.equal((await driver.find(lease.key, call))?.waiters, 0)
  })
})

test('a turn of one who waits no more is handed on', async (t) => {
  await withRedis(t, [], async ({ admin, create }) => {
    const driver = create()
    const holder = held(await driver.claim(claim('k', { ttlMs: 30_000 }), call))
    const wait = driver.claim(claim('k', { waitMs: 30_000 }), call)
    await eventually('one waits', async () => (await driver.find(holder.key, call))?.waiters === 1)
    const queue = 'latchkey:queue:latchkey:lock:k'
    const [member] = await admin.zrange(queue, 0, 0)
    // On this driver's channel, but none of its waiters.
    await admin.zadd(queue, 1, member.replace(/^\S+/, 'c'.repeat(32)))
    await driver.release(holder.key, holder.version, call)
    const releasedAt = performance.now()
    held(await wait)
    assert.ok(performance.now() - releasedAt < 20 * TURN_MS)
    assert.equal(await admin.exists(queue), 0)
  })
})

test('who cannot be told of turns polls, and gets it', async (t) => {
  await withRedis(t, [], async ({ server, admin, createLocks }) => {
    await admin.acl('SETUSER', 'deaf', 'on', 'nopass', '~*', '+@all', '-subscribe', '-config')
    const { host, port } = server
    const deaf = new Redis({ host, port, lazyConnect: true, username: 'deaf', password: 'x' })
    const locks = createLocks({ client: deaf })
    const first = await createLocks().acquire('k', { ttl: '30s' })
    const second = locks.acquire('k', { wait: '30s' })
    await sleep(100)
    await first.release()
    await (await second).release()
    assert.equal((await locks.explain('k')).facts.survivesRestart, false)
  })
})

test('Redis stops for longer than the deadline and goes on: nothing is lost, nothing is left', async (t) => {
  await withRedis(t, [], async ({ server, create }) => {
    const locks = createLocks(create(), { ttl: '20s', deadlineMs: 200 })
    const witness = create()
    const kept = await locks.acquire('kept')
    process.kill(server.pid, 'SIGSTOP')
    const failed = await locks.acquire('failed').catch((error) => error)
    process.kill(server.pid, 'SIGCONT')
    assert.match(failed.code, /LOCK_(UNAVAILABLE|AMBIGUOUS)/)
    await eventually('swept', async () => (await witness.find('latchkey:lock:failed', call)) === undefined)
    await kept.extend()
    assert.equal(await kept.release(), 'released')
    await locks.close()
  })
})

test('any name that a lock can have, and listed with those it begins like', async (t) => {
  await withRedis(t, [], async ({ createLocks }) => {
    const locks = createLocks()
    const names = ['a*', 'a?b', 'a[b]', 'a\\b', '{a}b', 'a"b', "a'b", 'ä-€-🔑', 'a:f:"0"', 'ab']
    for (const name of names) {
      await using lock = await locks.acquire(name, { label: '"f":"0"' })
      const info = await locks.inspect(name)
      assert.equal(info?.owner, (await collect(locks.list(name)))[0]?.owner, name)
      assert.equal(info?.fence, lock.fence)
      assert.equal(info?.label, '"f":"0"')
    }
    await using star = await locks.acquire('a*')
    await using other = await locks.acquire('ab')
    assert.deepEqual(
      (await collect(locks.list('a*'))).map(({ name }) => name),
      ['a*'],
    )
    assert.ok(other.fence > star.fence)
    assert.equal(await locks.forceRelease('a*'), true)
  })
})

test('closed, it leaves no connection, no queue, and the user’s client as it was', async (t) => {
  await withRedis(t, [], async ({ admin, server, createLocks }) => {
    const before = await admin.client('LIST')
    const client = server.connect()
    const locks = createLocks({ client })
    const lock = await locks.acquire('k', { ttl: '30s' })
    const wait = locks.acquire('k', { wait: '30s' })
    wait.catch(() => undefined)
    await eventually('waits', async () => (await locks.inspect('k'))?.waiters === 1)
    await locks.close()
    await assert.rejects(wait, /closed/)
    assert.equal(lock.state, 'released')
    assert.equal(client.status, 'wait', 'nobody has connected it')
    const count = (list: unknown) => String(list).trim().split('\n').length
    await eventually('none is left', async () => count(await admin.client('LIST')) === count(before))
    assert.deepEqual(await admin.keys('*'), ['latchkey:lock-server'])
  })
})

test('a lease longer than maxLease is refused, a cluster too, and options that make no sense', async (t) => {
  await withRedis(t, ['--cluster-enabled', 'yes'], async ({ admin, create }) => {
    const driver = create({ maxLease: '5s' })
    const wrong = { name: 'LockArgumentError', message: /maxLease/ }
    await assert.rejects(driver.claim(claim('k', { ttlMs: 5001 }), call), wrong)
    await admin.cluster('ADDSLOTSRANGE', 0, 16383)
    await assert.rejects(driver.claim(claim('k'), call), { name: 'LockArgumentError', message: /cluster/ })
    const client = admin
    for (const options of [
      {},
      { client: {} },
      { client, maxLease: 0 },
      { client, freshServers: 'no' },
      { client, x: 1 },
    ]) {
      assert.throws(() => redis(options as never), { name: 'LockArgumentError' })
    }
    const many = new Redis.Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true })
    assert.throws(() => redis({ client: many as never }), /cluster/)
  })
})
