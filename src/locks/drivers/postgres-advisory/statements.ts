/**
 * What PostgreSQL does for a lock that has a connection of its own. The lock is a row, as without one. The connection holds an advisory
 * lock of the same name, for which others wait in PostgreSQL's queue. The row's record tells which connection that is:
 * `"b":"<process>/<run>"`, where `run` is empty once the lock was extended over another connection.
 */
import { claimText, FLUSHED, ROW, UNEXPIRED, VERSION } from '../postgres/statements.js'
import type { Tables } from '../postgres/tables.js'

const LONGEST_MS = 2 ** 31 - 1
const BOUND = `'"b":"(\\d{1,9})/[^"]*"'`
const BOUND_RUN = `'"b":"\\d{1,9}/([^"]+)"'`
const micros = (time: string) => `coalesce(trunc(extract(epoch FROM ${time}) * 1000000)::text, '')`
/**
 * Another one after every restart: also after that of a server of which a process has died, which leaves the time of its start as it was,
 * and begins its statistics anew.
 */
const RUN = `${micros('pg_postmaster_start_time()')} || '.' || ${micros('pg_stat_get_bgwriter_stat_reset_time()')}`
/** Of the connection that a row is bound to. */
const PROCESS = `substring(lock.record FROM ${BOUND})::int`

export interface AdvisoryStatements {
  /**
   * $1 name, $2 record, $3 life in ms, $4 with a fence? $5 do connections that end free locks? As for a row alone, and takes the advisory
   * lock: `had_turn` if it has that, whatever became of the row.
   */
  readonly claim: string
  /** The same by who has the advisory lock already. */
  readonly claimAtHead: string
  /** $1 name, $2 longest wait in ms, $3 how long PostgreSQL waits to hear from who was given it, in ms. */
  readonly enter: string
  /** $1 name, $2 version, $3 new record, $4 its life in ms. One row with the new version, or none. */
  readonly extend: string
  /** The same over another connection: that which the lock was bound to will not free it any more. */
  readonly move: string
  /** $1 name, $2 and $3 what was set before, $4 version. `held`: it had not ended yet; `whole`: nothing is left of it. */
  readonly release: string
  /** $1 name, $2 version: over another connection. `pid`: of its own. */
  readonly remove: string
  /**
   * $1 name, $2 and $3 what was set before. `whole` as above. Whether it has the advisory lock is looked up: a statement that was ended may
   * have been given it just before.
   */
  readonly reset: string
  /** $1 name, $2 process. Ends it if it has that advisory lock. */
  readonly end: string
  /** $1 name, $2 as $5 of a claim. */
  readonly find: string
  /** $1 what names begin with, $2 as $5 of a claim. */
  readonly list: string
}

/** Who is there: asked once of each connection. */
export const GREETING = `
  SELECT pg_backend_pid() AS pid, current_setting('server_version_num')::int AS version,
    current_setting('idle_session_timeout', true) AS idle,
    current_setting('client_connection_check_interval', true) AS checked, ${RUN} AS run`

/** PostgreSQL looks now and then whether who waits is still there. Not on every system it can. */
export const WATCH = "SET client_connection_check_interval = '1s'"

export function advisoryStatements(tables: Tables): AdvisoryStatements {
  const { locks: table } = tables
  const key = (name: string) =>
    `('x' || left(encode(sha256(convert_to('${table} ' || ${name}, 'UTF8')), 'hex'), 16))::bit(64)::bigint`
  const idle = (ms: string) =>
    `set_config('idle_session_timeout', least(${ms}::float8, ${LONGEST_MS})::bigint::text, false)`
  /** Bound to a connection to this run of the server, where those that end free locks. Who asks knows that it has ended. */
  const isFreed = (frees: string) => `(${frees} AND coalesce(substring(lock.record FROM ${BOUND_RUN}) = ${RUN}, false))`
  const isLive = `(${UNEXPIRED} AND NOT ${isFreed('$5')})`
  const isThere = `EXISTS (SELECT FROM ${table} AS lock WHERE name = $1 AND ${isLive})`
  const locks = `
      WITH locks AS MATERIALIZED (
        SELECT pid, granted, classid::bigint << 32 | objid::bigint AS key FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      )`
  /** Also a lock whose time is over, as long as PostgreSQL has not ended its connection. */
  const seen = (which: string) => `${locks}
      SELECT ${ROW}, waiters FROM ${table} AS lock, LATERAL (
        SELECT count(*) FILTER (WHERE pid IS DISTINCT FROM ${PROCESS})::int AS waiters,
          coalesce(bool_or(granted AND pid = ${PROCESS}), false) AS is_held
        FROM locks WHERE key = ${key('lock.name')}
      ) AS queue
      WHERE ${which} AND (is_held OR ${UNEXPIRED} AND NOT ${isFreed('$2')})`
  const update = (record: string, values: string) => `
      WITH flushed AS MATERIALIZED (SELECT ${FLUSHED})
      UPDATE ${table} AS lock SET record = ${record}, expires_at = clock_timestamp() + $4 * interval '1 millisecond'
      FROM flushed
      WHERE name = $1 AND encode(sha256(convert_to(record, 'UTF8')), 'hex') = $2 AND ${UNEXPIRED}
      RETURNING ${VERSION}${values}`
  const remove = (version: string) => `
      DELETE FROM ${table} AS lock WHERE name = $1 AND encode(sha256(convert_to(record, 'UTF8')), 'hex') = ${version}
      RETURNING ${UNEXPIRED} AS held, ${PROCESS} AS pid`
  const undone = `set_config('idle_session_timeout', $2, false), set_config('client_connection_check_interval', $3, false)`
  return {
    claim: claimText(
      tables,
      isLive,
      `CASE WHEN ${isThere} THEN false ELSE pg_try_advisory_lock(${key('$1')}) END`,
      `, ${idle('$3')}`,
    ),
    // Not looking before: who has just given the advisory lock away may not have told all of its release.
    claimAtHead: claimText(tables, isLive, 'true', `, ${idle('$3')}`),
    enter: `
      WITH patient AS MATERIALIZED (SELECT set_config('lock_timeout', $2, true), ${idle('$3')})
      SELECT pg_advisory_lock(${key('$1')}) FROM patient`,
    extend: update('$3', `, ${idle('$4')}`),
    move: update(`left($3, -1) || coalesce(',"b":"' || ${PROCESS} || '/"', '') || '}'`, ''),
    release: `
      WITH gone AS (${remove('$4')}), done AS MATERIALIZED (SELECT bool_or(held) AS held FROM gone)
      SELECT held, pg_advisory_unlock(${key('$1')}) AS whole, ${undone} FROM done`,
    remove: remove('$2'),
    reset: `${locks}
      SELECT coalesce(bool_and(pg_advisory_unlock(key)), true) AS whole, ${undone}
      FROM locks WHERE granted AND pid = pg_backend_pid() AND key = ${key('$1')}`,
    end: `${locks} SELECT pg_terminate_backend(pid) FROM locks WHERE granted AND pid = $2 AND key = ${key('$1')}`,
    find: seen('name = $1'),
    list: seen('starts_with(name, $1)'),
  }
}
