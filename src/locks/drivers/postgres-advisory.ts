/**
 * Locks in PostgreSQL that each have a connection for as long as they are held or waited for. The lock is the same row of the same table as
 * without one. But the connection also holds an advisory lock of that name, so that who waits stands in PostgreSQL's queue, and need not
 * ask again and again. PostgreSQL 14 or later ends a connection that says nothing for the time of the lease (`idle_session_timeout`): so
 * a holder that has died, or cannot be reached, leaves the queue.
 */
import { createHash } from 'node:crypto'
import type { Call, Claim, ClaimResult, Facts, Found, Lease, LockDriver, Version } from '../driver.js'
import { LockArgumentError } from '../errors.js'
import { lifeMs } from './life.js'
import { Database } from './postgres/database.js'
import { foundOf } from './postgres/found.js'
import { statementsFor } from './postgres/statements.js'
import { tablesOf } from './postgres/tables.js'
import { LIST_DEADLINES, type PostgresLockOptions, postgres, TABLE } from './postgres.js'
import { Claims } from './postgres-advisory/claims.js'
import { withAdvisory } from './postgres-advisory/facts.js'
import type { Session } from './postgres-advisory/session.js'
import { Sessions } from './postgres-advisory/sessions.js'
import { type AdvisoryStatements, advisoryStatements } from './postgres-advisory/statements.js'
import { encodeAnew } from './record.js'

export interface PostgresAdvisoryOptions extends PostgresLockOptions {
  /**
   * What becomes of a lock whose connection ends before it was released. `wait`: nobody gets it before its lease is over, since its holder
   * may live and believe in it. `free`: the next one gets it at once, as is right where only the death of the holder ends a
   * connection. All who use the table have to agree. Default `wait`.
   */
  disconnected?: 'wait' | 'free'
}

/** Throws LockArgumentError for options that make no sense. */
export function postgresAdvisory({ disconnected = 'wait', ...options }: PostgresAdvisoryOptions): LockDriver {
  if (disconnected !== 'wait' && disconnected !== 'free') {
    throw new LockArgumentError(`disconnected is wait or free, not ${disconnected}`)
  }
  const rows = postgres(options)
  const { pool, table = TABLE } = options
  const tables = tablesOf(table)
  const database = new Database(pool, statementsFor(tables).tidy)
  return new PostgresAdvisoryDriver(rows, database, advisoryStatements(tables), disconnected === 'free')
}

class PostgresAdvisoryDriver implements LockDriver {
  readonly kind = 'postgres-advisory'
  /** A pool cannot be sent to another thread. */
  readonly remake = undefined
  /** The same locks without connections. */
  readonly #rows: LockDriver
  readonly #database: Database
  readonly #statements: AdvisoryStatements
  readonly #sessions: Sessions
  readonly #claims: Claims
  readonly #frees: boolean

  constructor(rows: LockDriver, database: Database, statements: AdvisoryStatements, frees: boolean) {
    this.#rows = rows
    this.#database = database
    this.#statements = statements
    this.#sessions = new Sessions(database, statements.reset)
    this.#claims = new Claims(database, statements, this.#sessions, frees)
    this.#frees = frees
  }

  get registers(): LockDriver['registers'] {
    return this.#rows.registers
  }

  claim(claim: Claim, call: Call): Promise<ClaimResult> {
    return this.#claims.claim(claim, call)
  }

  async extend(lease: Lease, ttlMs: number, call: Call): Promise<Lease | undefined> {
    const { key, name, holder, fence, version } = lease
    const session = this.#sessions.of(version)
    if (!session?.isSound) return this.#move(lease, ttlMs, call, session)
    const record = session.bind(encodeAnew(holder, fence === undefined ? 'none' : 'token'))
    // What it will be if the answer is lost.
    this.#sessions.hold(versionOf(record), session)
    const from = call.clock.now()
    const values = [key, version, record, lifeMs(ttlMs)]
    const [row] = await session.ask('changes', name, call, this.#statements.extend, values)
    this.#sessions.forget(version)
    if (row !== undefined) session.keep(lifeMs(ttlMs))
    else await session.giveBack(call)
    return row && { ...lease, version: row.version as string, from, granularityMs: 0 }
  }

  async release(key: string, version: Version, call: Call): Promise<boolean> {
    const session = this.#sessions.of(version)
    if (session?.isSound) {
      const [row] = await session.askLast(key, call, this.#statements.release, [version])
      return row?.held === true
    }
    const [row] = await this.#database.ask('changes', key, call, this.#statements.remove, [key, version])
    session?.end()
    if (typeof row?.pid === 'number') await this.#end(key, row.pid, call)
    return row?.held === true
  }

  async find(key: string, call: Call): Promise<Found | undefined> {
    const [row] = await this.#database.ask('asks', key, call, this.#statements.find, [key, this.#frees])
    return row && foundOf(row)
  }

  async *list(keyPrefix: string, call: Call): AsyncGenerator<Found> {
    const patient = { ...call, deadlineMs: LIST_DEADLINES * call.deadlineMs }
    for (const row of await this.#database.ask('asks', keyPrefix, patient, this.#statements.list, [
      keyPrefix,
      this.#frees,
    ]))
      yield foundOf(row)
  }

  async facts(key: string, call: Call): Promise<Facts> {
    return withAdvisory(await this.#rows.facts(key, call), this.#frees)
  }

  /** The pool is the user's. What is held stays so until its lease is over, or not, as is said of connections that end. */
  async close(): Promise<void> {
    this.#database.close()
    this.#sessions.close()
    await this.#rows.close()
  }

  /** Extends it over another connection: its own has ended, or is another process's. */
  async #move(lease: Lease, ttlMs: number, call: Call, session: Session | undefined): Promise<Lease | undefined> {
    const { key, name, holder, fence, version } = lease
    const record = encodeAnew(holder, fence === undefined ? 'none' : 'token')
    const from = call.clock.now()
    const values = [key, version, record, lifeMs(ttlMs)]
    const [row] = await this.#database.ask('changes', name, call, this.#statements.move, values)
    session?.end()
    return row && { ...lease, version: row.version as string, from, granularityMs: 0 }
  }

  /** Its lock is gone, and those who wait need not wait for its end. Where that is not allowed, they do. */
  async #end(key: string, pid: number, { clock, deadlineMs }: Call): Promise<void> {
    await this.#database.ask('changes', key, { clock, deadlineMs }, this.#statements.end, [key, pid]).catch(() => {})
  }
}

/** As PostgreSQL reckons it. */
function versionOf(record: string): Version {
  return createHash('sha256').update(record).digest('hex')
}
