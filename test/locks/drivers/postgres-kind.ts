/** PostgreSQL, for the driver suite and where connections break. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import {
  createPostgresTable,
  type LockDriver,
  type PostgresAdvisoryOptions,
  postgres,
  postgresAdvisory,
} from 'latchkey/locks'
import pg from 'pg'
import { Postgres, requirePostgres } from '../../support/postgres.js'
import type { Bench, DriverKind } from './kinds.js'

interface Address {
  readonly host: string
  readonly port: number
}

export const postgresKind: DriverKind = {
  name: 'PostgreSQL',
  shortMs: 500,
  overMs: 900,
  remote: true,
  queues: false,
  lists: true,
  touches: true,
  registers: true,
  fences: 'token',
  granularityMs: 0,
  evicts: false,
  async start(t) {
    const server = await startPostgres(t)
    if (server === undefined) return undefined
    return benchOf(server, await server.connect(), postgresAt)
  },
}

function benchOf(server: Postgres, stranger: pg.Client, create: (address: Address) => LockDriver): Bench {
  return {
    servers: [`${server.host}:${server.port}`],
    stranger: {
      set: (key, value) => stranger.query(SET, [key, Buffer.from(value).toString('latin1').replaceAll('\0', '')]),
      touch: (key, ttlMs) => stranger.query(TOUCH, [key, ttlMs]),
      delete: (key) => stranger.query(DELETE, [key]),
    },
    counter: () => assert.fail('the sequence is nobody else’s'),
    create: () => create(server),
    stop: () => server.stop(),
  }
}

const SET = `INSERT INTO latchkey_locks (name, record, expires_at) VALUES ($1, $2, 'infinity')
  ON CONFLICT (name) DO UPDATE SET record = EXCLUDED.record, expires_at = EXCLUDED.expires_at`
/** And ends the connection that the lock was bound to, where it was to one. */
const DELETE = `WITH gone AS (DELETE FROM latchkey_locks WHERE name = $1 RETURNING record)
  SELECT pg_terminate_backend(substring(record FROM '"b":"(\\d+)/')::int, 5000) FROM gone`
const TOUCH = `UPDATE latchkey_locks SET expires_at = clock_timestamp() + $2 * interval '1 millisecond' WHERE name = $1`

/** Every lock that is held or waited for has a connection. */
export const postgresAdvisoryKind: DriverKind = {
  ...postgresKind,
  name: 'PostgreSQL with advisory locks',
  queues: true,
  // Its connection goes on holding the advisory lock.
  touches: false,
  async start(t) {
    const server = await startPostgres(t, ['max_connections=400'])
    if (server === undefined) return undefined
    return benchOf(server, await server.connect(), postgresAdvisoryAt)
  },
}

export const postgresFaultKinds = [
  { name: 'PostgreSQL', start: startPostgres, create: postgresAt },
  { name: 'PostgreSQL with advisory locks', start: startPostgres, create: postgresAdvisoryAt },
]

/** With the table; on TCP. */
export async function startPostgres(t: TestContext, settings: string[] = []): Promise<Postgres | undefined> {
  if (!requirePostgres(t)) return undefined
  const server = await Postgres.start({ tcp: true, settings })
  const pool = poolAt(server)
  await createPostgresTable(pool)
  await pool.end()
  return server
}

export function poolAt({ host, port }: Address, more: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({
    host,
    port,
    user: 'latchkey',
    database: 'postgres',
    connectionTimeoutMillis: 5000,
    ...more,
  })
  pool.on('error', () => {})
  return pool
}

export function postgresAt(address: Address): LockDriver {
  const pool = poolAt(address)
  return withPool(postgres({ pool }), pool)
}

/** With connections for as many locks as the suite has at a time. */
export function postgresAdvisoryAt(address: Address, options: Partial<PostgresAdvisoryOptions> = {}): LockDriver {
  // What a question opens ends soon after it, as the fault cases want to see.
  const pool = poolAt(address, { max: 30, idleTimeoutMillis: 500 })
  return withPool(postgresAdvisory({ pool, ...options }), pool)
}

/** Its pool ends with it. */
function withPool(driver: LockDriver, pool: pg.Pool): LockDriver {
  const close = driver.close.bind(driver)
  driver.close = async () => {
    await close()
    if (!pool.ending) await pool.end()
  }
  return driver
}
