/** What is PostgreSQL's own: crashes, settings that would lose a lock, the table. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import {
  createLocks,
  createPostgresTable,
  type LockDriver,
  LockUnavailableError,
  postgres,
  type Version,
} from 'latchkey/locks'
import type pg from 'pg'
import { factsOf } from '#dist/locks/drivers/postgres/facts.js'
import { eventually } from '../../support/eventually.js'
import { requirePgBouncer, startPgBouncer } from '../../support/pgbouncer.js'
import { type Postgres, postgresBin, requirePostgres } from '../../support/postgres.js'
import { call, claimOf, collect, held } from './case.js'
import { poolAt, startPostgres } from './postgres-kind.js'
import { count } from './register-cases.js'

/** For all of this file: what is set here would lose locks, but for what the driver does about it. */
const settings = ['synchronous_commit=off', 'default_transaction_isolation=serializable', 'wal_level=replica']
let server: Postgres | undefined
const pools: pg.Pool[] = []

before(async () => {
  if (postgresBin !== undefined) server = await startPostgres({} as TestContext, settings)
})

after(async () => {
  for (const pool of pools) await pool.end()
  await server?.stop()
})

function onPostgres(name: string, run: (server: Postgres, pool: pg.Pool, driver: LockDriver) => Promise<void>): void {
  test(name, async (t) => {
    if (!requirePostgres(t)) return
    const pool = poolAt(server!)
    pools.push(pool)
    await run(server!, pool, postgres({ pool }))
  })
}

const claim = (name: string, changes = {}) => claimOf(`latchkey:lock:${name}`, changes)

onPostgres(
  'a lock is on the disk before it is believed: after a crash its holder goes on, and nobody else gets it',
  async (server, _, driver) => {
    const lease = held(await driver.claim(claim('k'), call))
    await server.restart()
    const found = await eventually('it answers', () => driver.find(lease.key, call).catch(() => undefined))
    assert.equal(found.version, lease.version)
    const extended = (await driver.extend(lease, 60_000, call))!
    await server.restart()
    const again = await eventually('it answers', () => driver.find(lease.key, call).catch(() => undefined))
    assert.equal(again.version, extended.version, 'the extension was forgotten')
    assert.equal((await driver.claim(claim('k'), call)).status, 'busy')
    assert.equal(await driver.release(lease.key, extended.version, call), true)
    assert.ok(held(await driver.claim(claim('k'), call)).fence! > lease.fence!)
  },
)

onPostgres(
  'PostgreSQL stops for longer than the deadline and goes on: nothing is lost, nothing is left',
  async (server, _, driver) => {
    const locks = createLocks(driver, { ttl: '20s', deadlineMs: 300 })
    const kept = await locks.acquire('kept')
    server.signalAll('SIGSTOP')
    const failed = await locks.acquire('failed').catch((error) => error)
    server.signalAll('SIGCONT')
    assert.match(failed.code, /LOCK_(UNAVAILABLE|AMBIGUOUS)/)
    await kept.extend()
    await eventually('swept', async () => (await locks.inspect('failed')) === undefined)
    assert.equal(await kept.release(), 'released')
    await locks.close()
  },
)

onPostgres('whatever transactions are like by default: of many that ask at once, one holds', async (_, __, driver) => {
  let last = 0n
  for (let round = 0; round < 10; round++) {
    const results = await Promise.all(Array.from({ length: 8 }, () => driver.claim(claim('many'), call)))
    const [lease, ...others] = results.filter(({ status }) => status === 'held').map(held)
    assert.deepEqual(others, [])
    assert.ok(lease.fence! > last)
    last = lease.fence!
    assert.equal(await driver.release(lease.key, lease.version, call), true)
  }
})

onPostgres(
  'whatever transactions are like by default: who is alone with a register changes it, and many who count lose nothing',
  async (_, pool) => {
    await createPostgresTable(pool, 'drowsy')
    await pool.query(`
      CREATE FUNCTION doze() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(0.01), count(*) FROM drowsy_registers; RETURN NEW; END $$;
      CREATE TRIGGER doze BEFORE INSERT OR UPDATE ON drowsy_registers FOR EACH ROW EXECUTE FUNCTION doze()`)
    const registers = postgres({ pool, table: 'drowsy' }).registers!
    const alone = Array.from({ length: 6 }, (_, i) => `alone${i}`)
    let before: (Version | undefined)[] = []
    for (let round = 0; round < 3; round++) {
      before = await Promise.all(alone.map((key, i) => registers.swap(key, `${round}`, before[i], 60_000, call)))
      assert.ok(!before.includes(undefined), 'told of a change that nobody has made')
    }
    await Promise.all(alone.map(() => count(registers, 'counted', 3)))
    assert.equal((await registers.read('counted', call))?.value, '18')
  },
)

onPostgres('a register is on the disk before it is believed', async (server, _, driver) => {
  const version = await driver.registers!.swap('durable', 'a', undefined, 60_000, call)
  await server.restart()
  const read = () => driver.registers!.read('durable', call).catch(() => undefined)
  assert.deepEqual(await eventually('it answers', read), { value: 'a', version })
})

onPostgres('who claims draws a fence when its turn has come, however slow it is after that', async (server) => {
  const pool = poolAt(server, { options: '-c default_transaction_isolation=read\\ committed' })
  pools.push(pool)
  await createPostgresTable(pool, 'slow')
  await pool.query(`
    CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.record LIKE '%"sleepy"%' THEN PERFORM pg_sleep(0.3); END IF; RETURN NEW; END $$;
    CREATE TRIGGER nap BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION nap()`)
  const driver = postgres({ pool, table: 'slow' })
  const mine = claim('k')
  const slow = driver.claim({ ...mine, holder: { ...mine.holder, label: 'sleepy' } }, call)
  await eventually('it has drawn, and sleeps', async () => {
    const { rows } = await pool.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    return rows.length === 1
  })
  const fences: bigint[] = []
  for (const asked of [driver.claim(claim('k'), call), slow]) {
    const result = await asked
    if (result.status === 'busy') continue
    fences.push(result.lease.fence!)
    await driver.release(result.lease.key, result.lease.version, call)
  }
  assert.ok(fences.length > 0)
  assert.deepEqual(fences, fences.toSorted(), 'in the order of holding')
})

onPostgres('explain tells what is not flushed, not logged, and that there are standbys', async (_, pool, driver) => {
  const locks = createLocks(driver)
  const verdictOf = async (name: string) =>
    (await locks.explain('k', 'lease')).faults.find(({ fault }) => fault === name)?.verdict
  // As tests have it.
  assert.match((await locks.explain('k')).text, /fsync is off/)
  assert.equal(await verdictOf('the server restarts'), 'not survived')
  const flushed = factsOf({ version: '15', fsync: 'on', logged: true, standby: false, standbys: 0, synchronous: '' })
  assert.ok(flushed.durable && flushed.survivesRestart)
  assert.equal(await verdictOf('another server takes over'), undefined)
  const dir = mkdtempSync(join(tmpdir(), 'latchkey-wal-'))
  const { host, port } = server!
  const standby = spawn(join(postgresBin!, 'pg_receivewal'), ['-D', dir, '-h', host, '-p', `${port}`, '-U', 'latchkey'])
  try {
    await eventually('it follows', async () => (await verdictOf('another server takes over')) !== undefined)
    assert.equal(await verdictOf('another server takes over'), 'not survived')
  } finally {
    standby.kill('SIGINT')
    await once(standby, 'close')
    rmSync(dir, { recursive: true })
  }
  await pool.query('CREATE UNLOGGED TABLE loose (LIKE latchkey_locks INCLUDING ALL)')
  const facts = await postgres({ pool, table: 'loose' }).facts('k', call)
  assert.match(facts.notes.join(), /not logged/)
  assert.equal(facts.evicts, false)
})

onPostgres(
  'the table is made when it is asked for, by as many as like, in any schema; without it no lock',
  async (_, pool, driver) => {
    await pool.query('CREATE SCHEMA "other"')
    const options = { pool, table: 'other.locks' }
    const other = postgres(options)
    await assert.rejects(other.claim(claim('k'), call), { code: 'LOCK_ARGUMENT', message: /createPostgresTable/ })
    await Promise.all([1, 2, 3, 4].map(() => createPostgresTable(pool, options.table)))
    const lease = held(await other.claim(claim('both'), call))
    held(await driver.claim(claim('both'), call))
    await createPostgresTable(pool, options.table)
    assert.equal((await other.find(lease.key, call))?.fence, lease.fence)
    for (const wrong of [
      {},
      { pool: {} },
      { pool, table: 'a b' },
      { pool, table: 'a.b.c' },
      { pool, table: '' },
      { pool, x: 1 },
    ]) {
      assert.throws(() => postgres(wrong as never), { code: 'LOCK_ARGUMENT' })
    }
  },
)

onPostgres('any name that a lock can have, and listed with those it begins like', async (_, __, driver) => {
  const locks = createLocks(driver)
  for (const name of ['a%', 'a_b', 'a\\b', "a'b", 'a"b', '$1', 'ä-€-🔑', 'axb', '--']) {
    const lock = await locks.acquire(name)
    assert.deepEqual(
      (await collect(locks.list(name))).map(({ name, fence }) => [name, fence]),
      [[name, lock.fence]],
    )
    assert.equal((await locks.inspect(name))?.owner, lock.owner)
  }
  assert.equal(await locks.forceRelease('a%'), true)
  await locks.close()
})

onPostgres(
  'what nobody has released is taken away in the end; closed, it leaves no row, no lock, no connection',
  async (_, pool, driver) => {
    await pool.query('DELETE FROM latchkey_locks')
    const count = async () => (await pool.query('SELECT FROM latchkey_locks')).rowCount
    held(await driver.claim(claim('died', { ttlMs: 10 }), call))
    await driver.registers!.swap('died', 'x', undefined, 10, call)
    await driver.registers!.swap('lives', 'x', undefined, 60_000, call)
    const registers = async () =>
      (await pool.query("SELECT name FROM latchkey_locks_registers WHERE name IN ('died', 'lives')")).rows
    const lease = held(await driver.claim(claim('lives'), call))
    await eventually('it is over', async () => (await driver.find(claim('died').key, call)) === undefined)
    assert.equal(await count(), 2)
    const later = { now: () => performance.now() + 3_600_000 }
    await driver.claim(claim('lives'), { ...call, clock: later })
    await eventually('tidied', async () => (await count()) === 1)
    await eventually('tidied', async () => (await registers()).length === 1)
    assert.deepEqual(await registers(), [{ name: 'lives' }])
    assert.equal(await driver.release(lease.key, lease.version, call), true)
    await driver.close()
    await assert.rejects(driver.claim(claim('k'), call), LockUnavailableError)
    assert.equal(await count(), 0)
    assert.equal(pool.idleCount, pool.totalCount)
    assert.equal((await pool.query("SELECT FROM pg_locks WHERE locktype = 'advisory'")).rowCount, 0)
  },
)

onPostgres('a pool with nobody left to lend: unavailable in time, and nobody is kept', async (server) => {
  const pool = poolAt(server, { max: 1 })
  pools.push(pool)
  const taken = await pool.connect()
  const driver = postgres({ pool })
  await assert.rejects(driver.claim(claim('k2'), { ...call, deadlineMs: 50 }), LockUnavailableError)
  const signal = AbortSignal.timeout(20)
  await assert.rejects(driver.claim(claim('k2'), { ...call, signal }), (error) => error === signal.reason)
  taken.release()
  assert.equal(await driver.find(claim('k2').key, call), undefined)
  assert.equal(pool.waitingCount, 0)
})

test('behind a PgBouncer that lends connections out by the transaction, all is as it was', async (t) => {
  if (!requirePostgres(t) || !requirePgBouncer(t)) return
  const bouncer = await startPgBouncer(server!)
  const own = [1, 2, 3].map(() => poolAt(bouncer))
  const all = own.map((pool) => createLocks(postgres({ pool }), { deadlineMs: 20_000 }))
  try {
    let inside = 0
    let last = 0n
    const takeTurns = async (locks: (typeof all)[number]) => {
      for (let round = 0; round < 10; round++) {
        const lock = await locks.acquire('turns', { wait: '60s' })
        assert.equal(++inside, 1, 'two hold it')
        assert.ok(lock.fence > last)
        last = lock.fence
        await lock.extend()
        inside--
        assert.equal(await lock.release(), 'released')
      }
    }
    await Promise.all(all.map(takeTurns))
  } finally {
    await Promise.all(all.map((locks) => locks.close()))
    await Promise.all(own.map((pool) => pool.end()))
    await bouncer.stop()
  }
})
