/** PostgreSQL, for the driver suite and where connections break. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createPostgresTable, type LockDriver, postgres } from 'latchkey/locks'
import pg from 'pg'
import { Postgres, requirePostgres } from '../../support/postgres.js'
import type { DriverKind } from './kinds.js'

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
    const stranger = await server.connect()
    return {
      servers: [`${server.host}:${server.port}`],
      stranger: {
        set: (key, value) => stranger.query(SET, [key, Buffer.from(value).toString('latin1').replaceAll('\0', '')]),
        touch: (key, ttlMs) => stranger.query(TOUCH, [key, ttlMs]),
        delete: (key) => stranger.query('DELETE FROM latchkey_locks WHERE name = $1', [key]),
      },
      counter: () => assert.fail('the sequence is nobody else’s'),
      create: () => postgresAt(server),
      stop: () => server.stop(),
    }
  },
}

const SET = `INSERT INTO latchkey_locks (name, record, expires_at) VALUES ($1, $2, 'infinity')
  ON CONFLICT (name) DO UPDATE SET record = EXCLUDED.record, expires_at = EXCLUDED.expires_at`
const TOUCH = `UPDATE latchkey_locks SET expires_at = clock_timestamp() + $2 * interval '1 millisecond' WHERE name = $1`

export const postgresFaultKind = { name: 'PostgreSQL', start: startPostgres, create: postgresAt }

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

/** Its pool ends with it. */
export function postgresAt(address: Address): LockDriver {
  const pool = poolAt(address)
  const driver = postgres({ pool })
  const close = driver.close.bind(driver)
  driver.close = async () => {
    await close()
    if (!pool.ending) await pool.end()
  }
  return driver
}
