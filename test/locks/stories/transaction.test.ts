/** The lock is given back before the transaction commits: the next holder reads what was before it. */
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { createLocks, fencedUpdate, type Lock, LockBusyError, type Locks, memcached } from 'latchkey/locks'
import type pg from 'pg'
import { Postgres, postgresBin, requirePostgres } from '../../support/postgres.js'
import { type ServerProcess, startLatchkey } from '../../support/process.js'
import { Gate } from './gate.js'

let postgres: Postgres | undefined
let latchkey: ServerProcess | undefined
let locks: Locks | undefined

before(async () => {
  if (postgresBin !== undefined) postgres = await Postgres.start()
  latchkey = await startLatchkey({ threads: 2 })
  locks = createLocks(memcached({ servers: `127.0.0.1:${latchkey.port}`, freshServers: 'trust' }))
})

after(async () => {
  await locks?.close()
  await latchkey?.stop()
  await postgres?.stop()
})

type Work = (db: pg.Client) => Promise<void>

/** As every framework has it: BEGIN, the work, COMMIT. Something may come between the last two. */
async function transaction(db: pg.Client, work: Work, beforeCommit: () => Promise<void>): Promise<void> {
  await db.query('BEGIN')
  try {
    await work(db)
    await beforeCommit()
    await db.query('COMMIT')
  } catch (error) {
    await db.query('ROLLBACK')
    throw error
  }
}

/** Reads and writes in two steps, as programs do, with the lock to keep others out. */
const deposit =
  (amount: number, lock: Lock): Work =>
  async (db) => {
    const { rows } = await db.query('SELECT balance FROM account WHERE id = 1')
    const balance = rows[0].balance + amount
    await fencedUpdate(db, { table: 'account', where: { id: 1 }, set: { balance }, fence: lock.fence })
  }

const acquire = (wait: string) => locks!.acquire('account:1', { ttl: '30s', wait })
const atOnce = async () => {}

/** A test with an account, and a connection for each of two clerks. */
function withTwoClerks(name: string, run: (one: pg.Client, other: pg.Client) => Promise<void>): void {
  test(name, async (t: TestContext) => {
    if (!requirePostgres(t)) return
    const [one, other] = [await postgres!.connect(), await postgres!.connect()]
    await one.query('DROP TABLE IF EXISTS account')
    await one.query('CREATE TABLE account (id int PRIMARY KEY, balance int, fence bigint NOT NULL DEFAULT 0)')
    await one.query('INSERT INTO account VALUES (1, 100)')
    await run(one, other)
  })
}

async function balance(db: pg.Client): Promise<number> {
  return (await db.query('SELECT balance FROM account WHERE id = 1')).rows[0].balance
}

withTwoClerks('released inside the transaction: a deposit is lost', async (one, other) => {
  const commit = new Gate()
  const lock = await acquire('0s')
  const work: Work = async (db) => {
    try {
      await deposit(10, lock)(db)
    } finally {
      await lock.release()
    }
  }
  const first = transaction(one, work, () => commit.step('commit'))
  await commit.reachedBy(first)

  const next = await acquire('10s')
  await other.query('BEGIN')
  const stale = await balance(other)
  commit.open()
  await first
  await fencedUpdate(other, { table: 'account', where: { id: 1 }, set: { balance: stale + 5 }, fence: next.fence })
  await other.query('COMMIT')
  await next.release()
  assert.equal(await balance(one), 105, 'of 100 + 10 + 5')
})

withTwoClerks('ours: released after the transaction has settled, none is', async (one, other) => {
  const commit = new Gate()
  const lock = await acquire('0s')
  const first = lock.releaseAfter(transaction(one, deposit(10, lock), () => commit.step('commit')))
  await commit.reachedBy(first)
  await assert.rejects(acquire('0s'), LockBusyError)
  const second = acquire('20s')
  commit.open()
  await first
  const next = await second
  await next.releaseAfter(transaction(other, deposit(5, next), atOnce))
  assert.equal(await balance(one), 115)
})

withTwoClerks('ours: a transaction that fails frees the lock too, and its error comes through', async (one) => {
  const lock = await acquire('0s')
  const failing = transaction(one, deposit(10, lock), () => Promise.reject(new Error('no commit')))
  await assert.rejects(lock.releaseAfter(failing), /no commit/)
  await (await acquire('0s')).release()
  assert.equal(await balance(one), 100)
})
