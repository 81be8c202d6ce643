/**
 * Locks as rows of a table in PostgreSQL: one statement for each thing, which needs no session of its own, so that it also works behind
 * a pooler such as PgBouncer. Fences come from a sequence. Who waits asks again and again.
 */
import type { Call, Claim, ClaimResult, Facts, Found, Lease, LockDriver, Registers, Version } from '../driver.js'
import { LockArgumentError, OutcomeUnknownError } from '../errors.js'
import { lifeMs } from './life.js'
import { isBeaten, type PostgresPool } from './postgres/asking.js'
import { Database } from './postgres/database.js'
import { factsOf } from './postgres/facts.js'
import { foundOf } from './postgres/found.js'
import { PostgresRegisters } from './postgres/registers.js'
import { type Statements, statementsFor } from './postgres/statements.js'
import { type Tables, tablesOf } from './postgres/tables.js'
import { encodeAnew, encodeRecord } from './record.js'

export type { PostgresClient, PostgresPool } from './postgres/asking.js'

/** Unless another is named. */
export const TABLE = 'latchkey_locks'
/** Listing is more work than all else. */
export const LIST_DEADLINES = 60

export interface PostgresLockOptions {
  /** A `pg` pool: `new Pool(…)`. It stays open. */
  pool: PostgresPool
  /** The table, or `schema.table`, that `createPostgresTable` has made. Default `latchkey_locks`. */
  table?: string
}

/** Throws LockArgumentError for options that make no sense. */
export function postgres({ pool, table = TABLE, ...unknown }: PostgresLockOptions): LockDriver {
  for (const name in unknown) throw new LockArgumentError(`there is no option ${name} here`)
  if (typeof pool?.connect !== 'function') throw new LockArgumentError('pool is a pool of pg: new Pool()')
  return new PostgresDriver(pool, tablesOf(table))
}

/**
 * Makes the table of the locks, the sequence of their fences (`<table>_fence`) and the table of registers (`<table>_registers`), unless
 * they are there. Rejects with what the database says, or LockArgumentError.
 */
export async function createPostgresTable(pool: PostgresPool, table = TABLE): Promise<void> {
  const { create } = statementsFor(tablesOf(table))
  const client = await pool.connect()
  let isWhole = false
  try {
    await client.query(create)
    isWhole = true
  } finally {
    client.release(!isWhole)
  }
}

class PostgresDriver implements LockDriver {
  readonly kind = 'postgres'
  /** A pool cannot be sent to another thread. */
  readonly remake = undefined
  readonly registers: Registers
  readonly #database: Database
  readonly #statements: Statements

  constructor(pool: PostgresPool, tables: Tables) {
    this.#statements = statementsFor(tables)
    this.#database = new Database(pool, this.#statements.tidy)
    this.registers = new PostgresRegisters(this.#database, tables)
  }

  async claim(claim: Claim, call: Call): Promise<ClaimResult> {
    const { key, name, holder, ttlMs, guarantee } = claim
    const fenced = guarantee === 'fenced'
    this.#database.tidy(call)
    // Before a connection is there: that may take its time, and is on the safe side.
    const from = call.clock.now()
    const values = [key, encodeRecord(holder, fenced ? 'token' : 'none'), lifeMs(ttlMs), fenced]
    const [row] = await this.#database.ask('changes', name, call, this.#statements.claim, values).catch((error) => {
      if (isBeaten(error)) return []
      throw error
    })
    if (row?.held !== true) {
      call.signal?.throwIfAborted()
      return { status: 'busy', found: row?.held === false ? foundOf(row) : undefined, queued: false }
    }
    const { fence, version } = foundOf(row)
    if (call.signal?.aborted) return this.#giveBack(key, version, call)
    return { status: 'held', lease: { key, name, holder, guarantee, fence, version, from, granularityMs: 0 } }
  }

  async extend(lease: Lease, ttlMs: number, call: Call): Promise<Lease | undefined> {
    const { key, name, holder, fence, version } = lease
    const record = encodeAnew(holder, fence === undefined ? 'none' : 'token')
    const from = call.clock.now()
    const values = [key, version, record, lifeMs(ttlMs)]
    const [row] = await this.#database.ask('changes', name, call, this.#statements.extend, values)
    return row && { ...lease, version: row.version as string, from, granularityMs: 0 }
  }

  async release(key: string, version: Version, call: Call): Promise<boolean> {
    const [row] = await this.#database.ask('changes', key, call, this.#statements.release, [key, version])
    return row?.held === true
  }

  async find(key: string, call: Call): Promise<Found | undefined> {
    const [row] = await this.#database.ask('asks', key, call, this.#statements.find, [key])
    return row && foundOf(row)
  }

  async *list(keyPrefix: string, call: Call): AsyncGenerator<Found> {
    const patient = { ...call, deadlineMs: LIST_DEADLINES * call.deadlineMs }
    for (const row of await this.#database.ask('asks', keyPrefix, patient, this.#statements.list, [keyPrefix]))
      yield foundOf(row)
  }

  async facts(key: string, call: Call): Promise<Facts> {
    const [row] = await this.#database.ask('asks', key, call, this.#statements.facts, [])
    return factsOf(row)
  }

  /** The pool is the user's. */
  async close(): Promise<void> {
    this.#database.close()
  }

  /** What came after all. Rejects with the abort's reason, or when it cannot be told. */
  async #giveBack(key: string, version: Version, call: Call): Promise<never> {
    await this.release(key, version, { ...call, signal: undefined }).catch(() => {
      throw new OutcomeUnknownError(call.signal?.reason)
    })
    throw call.signal?.reason
  }
}
