/**
 * Registers as rows of a table of their own, each swap one statement. A version is a random number that is written beside the value, so
 * that none comes again, not even when a backup is restored.
 */
import { randomBytes } from 'node:crypto'
import type { Call, Registered, Registers, Version } from '../../driver.js'
import { LockUnavailableError } from '../../errors.js'
import { lifeMs } from '../life.js'
import { checkRegister } from '../register.js'
import { isBeaten, type Row } from './asking.js'
import type { Database } from './database.js'
import { FLUSHED } from './statements.js'
import type { Tables } from './tables.js'

/** Where transactions are serializable by default, each of many may be told so once for each of the others. */
const TRIES = 100

export class PostgresRegisters implements Registers {
  readonly #database: Database
  readonly #statements: Statements

  constructor(database: Database, tables: Tables) {
    this.#database = database
    this.#statements = statementsFor(tables)
  }

  async read(key: string, call: Call): Promise<Registered | undefined> {
    const [row] = await this.#database.ask('asks', key, call, this.#statements.read, [key])
    return row && { value: row.value as string, version: row.version as string }
  }

  async swap(
    key: string,
    value: string,
    before: Version | undefined,
    ttlMs: number,
    call: Call,
  ): Promise<Version | undefined> {
    checkRegister(key, value, ttlMs)
    this.#database.tidy(call)
    const version = randomBytes(16).toString('hex')
    const values = [key, value, version, lifeMs(ttlMs)]
    const rows =
      before === undefined
        ? await this.#write(key, this.#statements.begin, values, call)
        : await this.#write(key, this.#statements.change, [...values, `${before}`], call)
    return rows.length > 0 ? version : undefined
  }

  /** Who was beaten has done nothing, and need not have been beaten to this very row: only asking again tells. */
  async #write(key: string, statement: string, values: unknown[], call: Call): Promise<Row[]> {
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        return await this.#database.ask('changes', key, call, statement, values)
      } catch (error) {
        if (!isBeaten(error)) throw error
      }
    }
    throw new LockUnavailableError(key, `others were before us ${TRIES} times`)
  }
}

/** All but `read` have $1 name, $2 value, $3 new version, $4 its life in ms, and answer with a row if they have written. */
interface Statements {
  /** $1 name. */
  readonly read: string
  /** Where there is nothing. */
  readonly begin: string
  /** $5 version before. */
  readonly change: string
}

function statementsFor({ registers }: Tables): Statements {
  const end = `clock_timestamp() + $4 * interval '1 millisecond'`
  return {
    read: `SELECT value, version FROM ${registers} WHERE name = $1 AND expires_at > clock_timestamp()`,
    begin: `
      WITH flushed AS MATERIALIZED (SELECT ${FLUSHED})
      INSERT INTO ${registers} AS register (name, value, version, expires_at)
      SELECT $1, $2, $3, ${end} FROM flushed
      ON CONFLICT (name) DO UPDATE
      SET value = EXCLUDED.value, version = EXCLUDED.version, expires_at = EXCLUDED.expires_at
      WHERE register.expires_at <= clock_timestamp()
      RETURNING version`,
    change: `
      WITH flushed AS MATERIALIZED (SELECT ${FLUSHED})
      UPDATE ${registers} SET value = $2, version = $3, expires_at = ${end}
      FROM flushed
      WHERE name = $1 AND version = $5 AND expires_at > clock_timestamp()
      RETURNING version`,
  }
}
