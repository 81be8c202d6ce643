/** What is the advisory locks’ own: what becomes of a lock whose connection, process or server does not go on, and what is left. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import {
  createLocks,
  type LockDriver,
  LockUnavailableError,
  type PostgresAdvisoryOptions,
  postgres,
  postgresAdvisory,
} from 'latchkey/locks'
import { FaultProxy } from 'latchkey/torture'
import type pg from 'pg'
import { checkGreeting } from '#dist/locks/drivers/postgres-advisory/greeting.js'
import { eventually } from '../../support/eventually.js'
import { requirePgBouncer, startPgBouncer } from '../../support/pgbouncer.js'
import { type Postgres, postgresBin, requirePostgres } from '../../support/postgres.js'
import { call, claimOf, clock, held } from './case.js'
import { poolAt, startPostgres } from './postgres-kind.js'

const program = join(import.meta.dirname, 'postgres-holder.js')
const ADVISORY = "SELECT FROM pg_locks WHERE locktype = 'advisory'"
/** The connection that a lock is bound to. */
const BOUND = `SELECT FROM latchkey_locks, pg_stat_activity
  WHERE name = $1 AND pid = substring(record FROM '"b":"(\\d+)/')::int`
/** What is begun anew when the server does. */
const SINCE = 'SELECT pg_backend_pid() AS pid, pg_stat_get_bgwriter_stat_reset_time()::text AS since'
const LEASE_MS = 700

let server: Postgres | undefined
const pools: pg.Pool[] = []
const children: ChildProcess[] = []

before(async () => {
  if (postgresBin !== undefined) server = await startPostgres({} as TestContext, ['idle_session_timeout=1h'])
})

after(async () => {
  for (const child of children) child.kill('SIGKILL')
  for (const pool of pools) await pool.end()
  await server?.stop()
})

interface Address {
  readonly host: string
  readonly port: number
}

interface Setting {
  readonly server: Postgres
  /** One more driver with a pool of its own; on another address where one is named. */
  create(options?: Partial<PostgresAdvisoryOptions>, address?: Address): LockDriver
  /** Nobody’s. */
  readonly pool: pg.Pool
  claim(changes?: object): ReturnType<typeof claimOf>
}

/** Each with a lock of its own, so that they need not wait for each other. */
const cases: [name: string, run: (setting: Setting) => Promise<void>][] = []
/** They stop the server, or look at all that it has. */
const lonely: typeof cases = []

function onPostgres(name: string, run: (setting: Setting) => Promise<void>): void {
  cases.push([name, run])
}

function alone(name: string, run: (setting: Setting) => Promise<void>): void {
  lonely.push([name, run])
}

async function play(name: string, run: (setting: Setting) => Promise<void>): Promise<void> {
  const drivers: LockDriver[] = []
  const create = (options = {}, address: Address = server!) => {
    const driver = postgresAdvisory({ pool: poolOf(address), ...options })
    drivers.push(driver)
    return driver
  }
  const claim = (changes = {}) => claimOf(`latchkey:lock:${name}`, { ttlMs: LEASE_MS, ...changes })
  try {
    await run({ server: server!, create, pool: poolOf(server!), claim })
  } finally {
    for (const driver of drivers) await driver.close()
  }
}

function poolOf(address: Address, options: pg.PoolConfig = {}): pg.Pool {
  // What is left on a connection is not mended by its end.
  const pool = poolAt(address, { idleTimeoutMillis: 0, ...options })
  pools.push(pool)
  return pool
}

/** A process that holds the lock, or waits for it. */
async function startHolder(key: string, waitMs: number, ttlMs = LEASE_MS): Promise<ChildProcess> {
  const { host, port } = server!
  const options = { host, port, key, ttlMs, waitMs }
  const child = fork(program, [JSON.stringify(options)], { serialization: 'advanced' })
  children.push(child)
  await once(child, 'message')
  return child
}

async function untilWaiting(driver: LockDriver, key: string, count: number): Promise<void> {
  await eventually(`${count} wait`, async () => (await driver.find(key, call))?.waiters === count)
}

onPostgres(
  'a holder that is stopped leaves the queue when its lease is over, and has lost the lock',
  async (setting) => {
    const { create, claim } = setting
    const driver = create()
    const before = clock.now()
    const child = await startHolder(claim().key, 0)
    const waiting = driver.claim(claim({ waitMs: 60_000 }), call)
    child.kill('SIGSTOP')
    held(await waiting)
    assert.ok(clock.now() - before >= LEASE_MS, 'it was taken from one that may still believe')
    const told = once(child, 'message')
    child.kill('SIGCONT')
    child.send('extend')
    assert.deepEqual((await told)[0], 'lost')
  },
)

onPostgres(
  'a holder that is cut off, and not heard of any more, leaves the queue when its lease is over',
  async (setting) => {
    const { server, create, claim } = setting
    const proxy = await FaultProxy.start(server)
    const far = create({}, proxy)
    try {
      const lease = held(await far.claim(claim(), call))
      proxy.hang()
      const next = held(await create().claim(claim({ waitMs: 60_000 }), call))
      assert.ok(next.from - lease.from >= LEASE_MS)
      proxy.resume()
      const tried = () => far.extend(lease, LEASE_MS, call).catch(() => null)
      const outcome = await eventually('it answers', async () => {
        const extended = await tried()
        return extended !== null && { extended }
      })
      assert.equal(outcome.extended, undefined)
    } finally {
      await proxy.heal()
      await far.close()
      await proxy.stop()
    }
  },
)

onPostgres(
  'a connection that is cut frees nothing before its lease is over; the holder goes on over another',
  async (setting) => {
    const { server, create, claim, pool } = setting
    const proxy = await FaultProxy.start(server)
    const far = create({}, proxy)
    try {
      const lease = held(await far.claim(claim({ ttlMs: 60_000 }), call))
      const near = create()
      const waiting = near.claim(claim({ waitMs: 60_000 }), call)
      await untilWaiting(near, lease.key, 1)
      proxy.cutAll()
      await eventually('its connection has ended', async () => (await pool.query(BOUND, [lease.key])).rowCount === 0)
      assert.equal((await create().claim(claim(), call)).status, 'busy')
      const extended = await eventually('it answers', () => far.extend(lease, 60_000, call).catch(() => undefined))
      assert.equal((await near.find(lease.key, call))?.holder.owner, lease.holder.owner)
      assert.equal(await far.release(lease.key, extended.version, call), true)
      assert.ok(held(await waiting).fence! > lease.fence!)
    } finally {
      await far.close()
      await proxy.stop()
    }
  },
)

alone('freed by the end of a connection: at once, if that is wanted, and not by a restart', async (setting) => {
  const { create, claim, pool } = setting
  const [one, other] = [create({ disconnected: 'free' }), create({ disconnected: 'free' })]
  const child = await startHolder(claim().key, 0, 60_000)
  const before = (await one.find(claim().key, call))!
  const waiting = one.claim(claim({ ttlMs: 60_000, waitMs: 60_000 }), call)
  await untilWaiting(other, claim().key, 1)
  child.kill('SIGKILL')
  const lease = held(await waiting)
  assert.ok(lease.fence! > before.fence!)
  assert.equal((await create().find(lease.key, call))?.holder.owner, lease.holder.owner)
  // The death of one process of the server is the end of all connections, and not of those who believe.
  const { rows } = await pool.query(SINCE)
  process.kill(rows[0].pid, 'SIGKILL')
  await eventually('it goes on', async () => {
    const again = await pool.query(SINCE).catch(() => undefined)
    return again !== undefined && again.rows[0].since !== rows[0].since
  })
  const claimed = () => eventually('it answers', () => other.claim(claim(), call).catch(() => undefined))
  assert.equal((await claimed()).status, 'busy')
  await setting.server.restart()
  assert.equal((await claimed()).status, 'busy')
  assert.equal(await other.release(lease.key, lease.version, call), true)
  held(await other.claim(claim(), call))
})

onPostgres(
  'a process that waits and dies leaves the queue, and who dies with its turn does not keep it',
  async (setting) => {
    const { create, claim } = setting
    const driver = create()
    const lease = held(await driver.claim(claim({ ttlMs: 60_000 }), call))
    const dies = await startHolder(lease.key, 60_000)
    await untilWaiting(driver, lease.key, 1)
    dies.kill('SIGKILL')
    await untilWaiting(driver, lease.key, 0)
    const stops = await startHolder(lease.key, 60_000)
    await untilWaiting(driver, lease.key, 1)
    const waiting = create().claim(claim({ waitMs: 60_000 }), call)
    await untilWaiting(driver, lease.key, 2)
    stops.kill('SIGSTOP')
    assert.equal(await driver.release(lease.key, lease.version, call), true)
    held(await waiting)
  },
)

alone(
  'PostgreSQL stops for longer than the deadline and goes on: nothing is lost, nothing is left',
  async (setting) => {
    const locks = createLocks(setting.create(), { ttl: '20s', deadlineMs: 300 })
    const kept = await locks.acquire('kept')
    setting.server.signalAll('SIGSTOP')
    const failed = await locks.acquire('failed').catch((error) => error)
    setting.server.signalAll('SIGCONT')
    assert.match(failed.code, /LOCK_(UNAVAILABLE|AMBIGUOUS)/)
    await kept.extend()
    await eventually('swept', async () => (await locks.inspect('failed')) === undefined)
    assert.equal(await kept.release(), 'released')
    await locks.close()
  },
)

alone('connections go back as they were: no lock, no setting, and none but those of the pool', async (setting) => {
  const pool = poolOf(setting.server, { max: 3 })
  const driver = postgresAdvisory({ pool })
  const lease = held(await driver.claim(setting.claim({ ttlMs: 3_600_000 }), call))
  const result = await driver.claim(setting.claim({ waitMs: 30 }), call)
  assert.equal(result.status === 'busy' && result.queued, true)
  const controller = new AbortController()
  const waiting = driver.claim(setting.claim({ waitMs: 3_600_000 }), { ...call, signal: controller.signal })
  await untilWaiting(driver, lease.key, 1)
  controller.abort(new Error('enough'))
  await assert.rejects(waiting, /enough/)
  await driver.release(lease.key, lease.version, call)
  assert.equal(pool.idleCount, pool.totalCount)
  for (const { rows } of await Promise.all([1, 2, 3].map(() => pool.query(SETTINGS)))) {
    assert.deepEqual(rows[0], { idle: '1h', checked: '0', lock: '0', mine: 0 })
  }
  await driver.claim(setting.claim(), call)
  await driver.close()
  assert.equal(pool.idleCount, pool.totalCount)
  await eventually('ended', async () => (await setting.pool.query(ADVISORY)).rowCount === 0)
  await assert.rejects(driver.claim(setting.claim(), call), LockUnavailableError)
})

const SETTINGS = `SELECT current_setting('idle_session_timeout') AS idle, current_setting('lock_timeout') AS lock,
  current_setting('client_connection_check_interval') AS checked,
  (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS mine`

onPostgres('a pool with nobody left to lend says so in time; who waits leaves one for questions', async (setting) => {
  const pool = poolOf(setting.server, { max: 2 })
  const driver = postgresAdvisory({ pool })
  const first = held(await driver.claim(setting.claim({ ttlMs: 60_000 }), call))
  const second = await driver.claim(setting.claim({ waitMs: 60_000 }), call)
  assert.equal(second.status === 'busy' && second.queued, false)
  held(await driver.claim(claimOf('latchkey:lock:another'), call))
  const third = driver.claim(claimOf('latchkey:lock:third'), { ...call, deadlineMs: 50 })
  await assert.rejects(third, { name: 'LockUnavailableError', message: /a connection of the pool for itself/ })
  assert.equal(await driver.release(first.key, first.version, call), true)
  assert.equal(await driver.find(first.key, call), undefined)
  await driver.close()
})

onPostgres('what ends a statement ends the wait, and not the lock', async (setting) => {
  const pool = poolOf(setting.server, { statement_timeout: 100 })
  const driver = postgresAdvisory({ pool })
  const lease = held(await driver.claim(setting.claim({ ttlMs: 60_000 }), call))
  const result = await driver.claim(setting.claim({ waitMs: 60_000 }), call)
  assert.equal(result.status === 'busy' && result.queued, false)
  assert.equal(result.status === 'busy' && result.found?.holder.owner, lease.holder.owner)
  assert.ok(await driver.extend(lease, 60_000, call))
  await driver.close()
})

onPostgres('a lock that is taken away ends its connection, and the next one has it', async (setting) => {
  const [mine, theirs] = [createLocks(setting.create()), createLocks(setting.create())]
  const lock = await mine.acquire('taken', { ttl: '60s' })
  const next = theirs.acquire('taken', { wait: '15s' })
  const looking = setting.create()
  await untilWaiting(looking, 'latchkey:lock:taken', 1)
  assert.equal(await theirs.forceRelease('taken', { ifFence: lock.fence }), true)
  await (await next).release()
  await assert.rejects(lock.extend(), { code: 'LOCK_LOST' })
  await Promise.all([mine.close(), theirs.close()])
})

onPostgres('locks with a connection and without one keep out of each other’s way', async (setting) => {
  const rows = postgres({ pool: setting.pool })
  const [driver, other] = [setting.create(), setting.create()]
  const lease = held(await rows.claim(setting.claim({ ttlMs: 60_000 }), call))
  assert.equal((await driver.claim(setting.claim(), call)).status, 'busy')
  // The first in the queue, and not for long.
  const first = await driver.claim(setting.claim({ waitMs: 30 }), call)
  assert.equal(first.status === 'busy' && first.queued, true)
  const waiting = other.claim(setting.claim({ ttlMs: 60_000, waitMs: 60_000 }), call)
  await untilWaiting(driver, lease.key, 1)
  await rows.release(lease.key, lease.version, call)
  const next = held(await waiting)
  assert.ok(next.fence! > lease.fence!)
  assert.equal((await rows.claim(setting.claim(), call)).status, 'busy')
})

onPostgres('whatever transactions are like by default: those who wait come one after the other', async (setting) => {
  const pool = poolOf(setting.server, { options: '-c default_transaction_isolation=serializable' })
  const driver = postgresAdvisory({ pool })
  let last = 0n
  const one = async () => {
    const lease = await eventually('it has it', async () => {
      const result = await driver.claim(setting.claim({ ttlMs: 60_000, waitMs: 60_000 }), call)
      return result.status === 'held' && result.lease
    })
    assert.ok(lease.fence! > last)
    last = lease.fence!
    assert.equal(await driver.release(lease.key, lease.version, call), true)
  }
  await Promise.all(Array.from({ length: 6 }, one))
  await driver.close()
})

onPostgres('explain tells what the end of a connection means', async (setting) => {
  const verdictOf = async (disconnected: 'wait' | 'free') => {
    const { faults } = await createLocks(setting.create({ disconnected })).explain('k', 'lease')
    return faults.find(({ fault }) => fault.startsWith('the network'))?.verdict
  }
  assert.equal(await verdictOf('wait'), 'survived')
  assert.equal(await verdictOf('free'), 'not survived')
  for (const wrong of [{}, { pool: setting.pool, disconnected: 'no' }, { pool: setting.pool, x: 1 }]) {
    assert.throws(() => postgresAdvisory(wrong as never), { code: 'LOCK_ARGUMENT' })
  }
  checkGreeting(140_000, 7, 7, 'k')
  assert.throws(() => checkGreeting(130_012, 7, 7, 'k'), { code: 'LOCK_ARGUMENT', message: /from 14 on/ })
  assert.throws(() => checkGreeting(140_000, 7, null, 'k'), { code: 'LOCK_ARGUMENT', message: /processID/ })
})

test('on PostgreSQL', { concurrency: true }, async (t) => {
  if (!requirePostgres(t)) return
  await Promise.all(cases.map(([name, run]) => t.test(name, () => play(name, run))))
  for (const [name, run] of lonely) await t.test(name, () => play(name, run))
})

test('behind a PgBouncer that lends connections out by the transaction there is no lock, and it says why', async (t) => {
  if (!requirePostgres(t) || !requirePgBouncer(t)) return
  const bouncer = await startPgBouncer(server!)
  const pool = poolAt(bouncer)
  const driver = postgresAdvisory({ pool })
  try {
    const refused = driver.claim(claimOf('latchkey:lock:pooled'), call)
    await assert.rejects(refused, { code: 'LOCK_ARGUMENT', message: /pooler/ })
    assert.equal(await driver.find('latchkey:lock:pooled', call), undefined)
    assert.equal(pool.idleCount, pool.totalCount)
  } finally {
    await driver.close()
    await pool.end()
    await bouncer.stop()
  }
})
