/**
 * What PostgreSQL does for a lock: one statement each, and so one transaction. A lock is a row that ends at `expires_at`, by the clock of
 * the server. Its version is the SHA-256 of its record: so also what somebody else has written there has one.
 */
import type { Tables } from './tables.js'

/** Of advisory locks: other programs have other numbers. */
const CLASS = 0x6c6b6579

export const VERSION = `encode(sha256(convert_to(record, 'UTF8')), 'hex') AS version`
const LEFT = `CASE WHEN isfinite(expires_at) THEN extract(epoch FROM expires_at - clock_timestamp()) * 1000 END AS left_ms`
export const ROW = `name, record, fence::text AS fence, ${VERSION}, ${LEFT}`
/** Of a row called `lock`. */
export const UNEXPIRED = '(lock.expires_at > clock_timestamp())'
/** Whatever is set: a lock that a crash could take back must not be believed. */
export const FLUSHED = `CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END`

export interface Statements {
  /**
   * $1 name, $2 record, $3 life in ms, $4 with a fence? One row: `held`, and what is there; null: another has just taken it.
   * All who claim one name come one after the other, and draw their fence only then: the order of fences is that of holders.
   */
  readonly claim: string
  /** $1 name, $2 version, $3 new record, $4 its life in ms. One row with the new version, or none. */
  readonly extend: string
  /** $1 name, $2 version. `held`: it had not ended yet. */
  readonly release: string
  /** $1 name. */
  readonly find: string
  /** $1 what names begin with. */
  readonly list: string
  /** Takes away what nobody has released, and registers that are over. */
  readonly tidy: string
  readonly facts: string
  /** Several statements: the tables and the sequence, unless they are there. */
  readonly create: string
}

/**
 * A row is in the way as long as it `isLive`. Only where `guard` holds, the turn is waited for and `then` evaluated, which is a list of
 * further values.
 */
export function claimText({ locks: table, fence }: Tables, isLive: string, guard: string, then = ''): string {
  return `
      WITH turn AS MATERIALIZED (
        SELECT pg_advisory_xact_lock(${CLASS}, hashtext($1)), ${FLUSHED}${then}
        WHERE ${guard}
      ), claimed AS (
        INSERT INTO ${table} AS lock (name, record, fence, expires_at)
        SELECT $1, $2, CASE WHEN $4 THEN nextval('${fence}') END, clock_timestamp() + $3 * interval '1 millisecond'
        FROM turn
        ON CONFLICT (name) DO UPDATE
        SET record = EXCLUDED.record, fence = EXCLUDED.fence, expires_at = EXCLUDED.expires_at
        WHERE NOT ${isLive}
        RETURNING *
      )
      SELECT EXISTS (SELECT FROM turn) AS had_turn, there.* FROM (SELECT) AS one LEFT JOIN (
        SELECT true AS held, ${ROW} FROM claimed
        UNION ALL
        SELECT false AS held, ${ROW} FROM ${table} AS lock
        WHERE name = $1 AND ${UNEXPIRED} AND NOT EXISTS (SELECT FROM claimed)
      ) AS there ON true`
}

export function statementsFor(tables: Tables): Statements {
  const { locks: table, registers } = tables
  return {
    claim: claimText(tables, UNEXPIRED, `NOT EXISTS (SELECT FROM ${table} AS lock WHERE name = $1 AND ${UNEXPIRED})`),
    extend: `
      WITH flushed AS MATERIALIZED (SELECT ${FLUSHED})
      UPDATE ${table} SET record = $3, expires_at = clock_timestamp() + $4 * interval '1 millisecond'
      FROM flushed
      WHERE name = $1 AND encode(sha256(convert_to(record, 'UTF8')), 'hex') = $2 AND expires_at > clock_timestamp()
      RETURNING ${VERSION}`,
    release: `
      DELETE FROM ${table} WHERE name = $1 AND encode(sha256(convert_to(record, 'UTF8')), 'hex') = $2
      RETURNING expires_at > clock_timestamp() AS held`,
    find: `SELECT ${ROW} FROM ${table} WHERE name = $1 AND expires_at > clock_timestamp()`,
    list: `SELECT ${ROW} FROM ${table} WHERE starts_with(name, $1) AND expires_at > clock_timestamp()`,
    tidy: `
      WITH ended AS (DELETE FROM ${registers} WHERE expires_at <= clock_timestamp())
      DELETE FROM ${table} WHERE expires_at <= clock_timestamp()`,
    facts: `
      SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync,
        relpersistence = 'p' AS logged, pg_is_in_recovery() AS standby,
        (SELECT count(*)::int FROM pg_stat_replication) AS standbys,
        current_setting('synchronous_standby_names') AS synchronous
      FROM pg_class WHERE oid = '${table}'::regclass`,
    create: `
      BEGIN;
      SELECT pg_advisory_xact_lock(${CLASS}, 0);
      CREATE SEQUENCE IF NOT EXISTS ${tables.fence};
      CREATE TABLE IF NOT EXISTS ${table} (
        name text PRIMARY KEY, record text NOT NULL, fence bigint, expires_at timestamptz NOT NULL
      );
      CREATE TABLE IF NOT EXISTS ${registers} (
        name text PRIMARY KEY, value text NOT NULL, version text NOT NULL, expires_at timestamptz NOT NULL
      );
      COMMIT`,
  }
}
