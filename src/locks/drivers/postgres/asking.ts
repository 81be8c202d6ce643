/** Asking PostgreSQL over the user's pool, and what its errors mean for a lock. */
import type { Call } from '../../driver.js'
import { LockArgumentError, LockUnavailableError, OutcomeUnknownError } from '../../errors.js'
import { within } from '../deadline.js'

export type Row = Record<string, unknown>

/** What is used of a client that `pg` lends out. */
export interface PostgresClient {
  /** Of the server's process, as it was told when the connection was opened. */
  readonly processID?: number | null
  /** Whether it keeps this process going. */
  ref?(): void
  unref?(): void
  query(text: string, values?: unknown[]): Promise<{ rows: Row[] }>
  /** With true it is closed, and not lent out again. */
  release(destroy?: boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
  removeListener(event: 'error', listener: (error: Error) => void): unknown
}

/** What is used of `new pg.Pool(…)`. */
export interface PostgresPool {
  readonly options?: { readonly max?: number }
  connect(): Promise<PostgresClient>
}

/** `asks` changes nothing, so that without an answer nothing was done. */
export type Effect = 'asks' | 'changes'

/** SQLSTATE for a table that is not there. */
const NO_TABLE = '42P01'

/** Where transactions are serializable by default, who comes second may be told so instead of waiting. */
const BEATEN = '40001'

/** Nothing was done, because another was doing the same. */
export function isBeaten(error: unknown): boolean {
  return refusalOf(error) === BEATEN
}

/** `lock` is for messages. Rejects as a driver does. */
export async function ask(
  pool: PostgresPool,
  effect: Effect,
  lock: string,
  call: Call,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  const client = await borrow(pool, lock, call)
  client.on('error', ignored)
  let isWhole = false
  try {
    const rows = await askOn(client, effect, lock, call, text, values)
    isWhole = true
    return rows
  } catch (error) {
    isWhole = refusalOf(error) !== undefined
    throw error
  } finally {
    // One whose answer is still to come, or never will, is nobody else's.
    client.release(!isWhole)
    if (isWhole) client.removeListener('error', ignored)
  }
}

/** The same on a connection that is had already. What is not refused may be under way still. */
export async function askOn(
  client: PostgresClient,
  effect: Effect,
  lock: string,
  { deadlineMs, signal }: Call,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  try {
    const { rows } = await within(client.query(text, values), deadlineMs, effect === 'asks' ? signal : undefined)
    return rows
  } catch (error) {
    if (effect === 'asks' && signal?.aborted) throw signal.reason
    throw isRefusal(error) || effect === 'asks' ? refused(lock, error) : new OutcomeUnknownError(error)
  }
}

/** The SQLSTATE with which PostgreSQL has said no, and done nothing; undefined for what ends the connection as well. */
export function refusalOf(error: unknown): string | undefined {
  const cause = (error as { cause?: unknown } | undefined)?.cause
  return isRefusal(cause) ? (cause as { code: string }).code : undefined
}

/** Whoever it is lent to has to release it. Rejects with the signal's reason, or LockUnavailableError. */
export async function borrow(pool: PostgresPool, lock: string, { deadlineMs, signal }: Call): Promise<PostgresClient> {
  signal?.throwIfAborted()
  const lent = pool.connect()
  try {
    const client = await within(lent, deadlineMs, signal)
    if (!signal?.aborted) return client
    client.release()
  } catch (error) {
    lent.then(
      (late) => late.release(),
      () => {},
    )
    if (!signal?.aborted) throw unavailable(lock, error)
  }
  throw signal.reason
}

/** It has said no, and the statement has done nothing. What ends the connection as well may have come after the statement. */
function isRefusal(error: unknown): boolean {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown }
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && severity === 'ERROR'
}

function refused(lock: string, error: unknown): Error {
  if ((error as { code?: unknown }).code !== NO_TABLE) return unavailable(lock, error)
  const why = `${(error as Error).message}: createPostgresTable(pool) makes it`
  return new LockArgumentError(why, lock, { cause: error })
}

function unavailable(lock: string, error: unknown): Error {
  return new LockUnavailableError(lock, error instanceof Error ? error.message : `${error}`, { cause: error })
}

/** The query has been told, too. */
function ignored(): void {}
