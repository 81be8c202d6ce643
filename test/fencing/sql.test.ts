/** The SQL guard on a real PostgreSQL: what comes with an old fence is refused, by the row itself. */
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { type FencedUpdate, fencedUpdate, type Queryable, StaleFenceError } from 'latchkey/locks'
import type pg from 'pg'
import { eventually } from '../support/eventually.js'
import { Postgres, postgresBin, requirePostgres } from '../support/postgres.js'

let postgres: Postgres | undefined
let db: pg.Client

before(async () => {
  if (postgresBin === undefined) return
  postgres = await Postgres.start()
  db = await postgres.connect()
})

after(() => postgres?.stop())

/** A test with a fresh table of two invoices. */
function onInvoices(name: string, run: () => Promise<void>): void {
  test(name, async (t: TestContext) => {
    if (!requirePostgres(t)) return
    await db.query('DROP TABLE IF EXISTS invoice')
    await db.query('CREATE TABLE invoice (id int PRIMARY KEY, total int, "by" text, fence bigint NOT NULL DEFAULT 0)')
    await db.query('INSERT INTO invoice VALUES (1, 100), (2, 200)')
    await run()
  })
}

const write = (fence: bigint, total: number, on: Queryable = db): Promise<boolean> =>
  fencedUpdate(on, { table: 'invoice', where: { id: 1 }, set: { total, by: `fence ${fence}` }, fence })

async function invoice(): Promise<unknown> {
  return (await db.query('SELECT total, "by", fence FROM invoice WHERE id = 1')).rows[0]
}

onInvoices('a newer and an equal fence go through, an older one is refused', async () => {
  assert.equal(await write(5n, 1), true)
  assert.equal(await write(5n, 2), true)
  assert.equal(await write(7n, 3), true)
  await assert.rejects(write(6n, 4), (error: unknown) => {
    assert.ok(error instanceof StaleFenceError)
    assert.equal(error.code, 'STALE_FENCE')
    assert.equal(error.fence, 6n)
    assert.equal(error.newer, 7n)
    return true
  })
  assert.deepEqual(await invoice(), { total: 3, by: 'fence 7', fence: '7' })
  assert.equal((await db.query('SELECT total FROM invoice WHERE id = 2')).rows[0].total, 200)
})

onInvoices('no such row is not a stale fence', async () => {
  assert.equal(await fencedUpdate(db, { table: 'invoice', where: { id: 9 }, set: { total: 1 }, fence: 5n }), false)
})

onInvoices('fences of 63 bits keep every digit', async () => {
  const largest = 2n ** 63n - 1n
  assert.equal(await write(largest - 1n, 1), true)
  assert.equal(await write(largest, 2), true)
  await assert.rejects(write(largest - 1n, 3), StaleFenceError)
  assert.deepEqual(await invoice(), { total: 2, by: `fence ${largest}`, fence: `${largest}` })
})

onInvoices('a column without a fence yet takes any', async () => {
  await db.query('ALTER TABLE invoice ADD COLUMN guard bigint')
  const update: FencedUpdate = {
    table: 'public.invoice',
    where: { id: 1 },
    set: { total: 1 },
    fence: 3n,
    column: 'guard',
  }
  assert.equal(await fencedUpdate(db, update), true)
  await assert.rejects(fencedUpdate(db, { ...update, fence: 2n }), StaleFenceError)
})

onInvoices('an old fence that waits for the row of an open transaction is refused when that commits', async () => {
  const newer = await postgres!.connect()
  await newer.query('BEGIN')
  await write(8n, 8, newer)
  const late = assert.rejects(write(7n, 7), StaleFenceError)
  await eventually('the old one waits', async () => {
    return (await newer.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount !== 0
  })
  await newer.query('COMMIT')
  await late
  assert.deepEqual(await invoice(), { total: 8, by: 'fence 8', fence: '8' })
})

onInvoices('a fence written alone shuts the door before anything is read', async () => {
  assert.equal(await fencedUpdate(db, { table: 'invoice', where: { id: 1 }, set: {}, fence: 9n }), true)
  assert.deepEqual(await invoice(), { total: 100, by: null, fence: '9' })
  await assert.rejects(write(8n, 8), StaleFenceError)
})

onInvoices('names are quoted, whatever they are', async () => {
  await db.query('CREATE TABLE "odd ""name" ("select" int PRIMARY KEY, "a b" text, fence bigint)')
  await db.query('INSERT INTO "odd ""name" VALUES (1)')
  const update = { table: 'odd "name', where: { select: 1 }, set: { 'a b': '"' }, fence: 1n }
  assert.equal(await fencedUpdate(db, update), true)
  assert.equal((await db.query('SELECT "a b" FROM "odd ""name"')).rows[0]['a b'], '"')
})

const good: FencedUpdate = { table: 'invoice', where: { id: 1 }, set: { total: 1 }, fence: 1n }
const wrong: [name: string, change: Record<string, unknown>, message: RegExp][] = [
  ['no fence', { fence: undefined }, /a fence is a bigint/],
  ['a fence that is a number', { fence: 5 }, /a fence is a bigint/],
  ['a fence of 0', { fence: 0n }, /a fence is a bigint/],
  ['a fence of 64 bits', { fence: 2n ** 63n }, /a fence is a bigint/],
  ['no row', { where: {} }, /all of invoice/],
  ['a row by nothing', { where: { id: 1, tenant: undefined } }, /tenant is undefined/],
  ['a row by null', { where: { id: null } }, /id is null/],
  ['the fence among the values', { set: { fence: 3n } }, /the column of the fence/],
  ['a value that is undefined', { set: { total: undefined } }, /total is undefined/],
]

for (const [name, change, message] of wrong) {
  test(`refused before anything is sent: ${name}`, async () => {
    const deaf: Queryable = { query: () => assert.fail('a query') }
    await assert.rejects(fencedUpdate(deaf, { ...good, ...change } as FencedUpdate), (error: unknown) => {
      assert.ok(error instanceof TypeError)
      assert.match(error.message, message)
      return true
    })
  })
}

test('a database that does not tell how many rows it wrote has not told that it wrote', async () => {
  const silent = { query: async () => ({ rowCount: null, rows: [] }) }
  await assert.rejects(write(5n, 1, silent), TypeError)
  await assert.rejects(write(5n, 1, { query: async () => ({ rows: [] }) } as unknown as Queryable), TypeError)
})

onInvoices('a driver that reads a bigint as a number does not take a late writer for a missing row', async () => {
  const int8 = 20
  const types = { getTypeParser: (oid: number) => (text: string) => (oid === int8 ? Number(text) : text) }
  const rounding = { query: (text: string, values: unknown[]) => db.query({ text, values, types: types as never }) }
  const newer = 2n ** 59n + 1n
  assert.equal(await write(newer, 1), true)
  await assert.rejects(write(newer - 1n, 2, rounding as Queryable), StaleFenceError)
})
