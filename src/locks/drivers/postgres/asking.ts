/** Asking PostgreSQL over the user's pool, and what its errors mean for a lock. */
import type { Call } from '../../driver.js'
import { LockArgumentError, LockUnavailableError, OutcomeUnknownError } from '../../errors.js'
import { within } from '../deadline.js'

export type Row = Record<string, unknown>

/** What is used of a client that `pg` lends out. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<{ rows: Row[] }>
  /** With true it is closed, and not lent out again. */
  release(destroy?: boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
  removeListener(event: 'error', listener: (error: Error) => void): unknown
}

/** What is used of `new pg.Pool(…)`. */
export interface PostgresPool {
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
  return error instanceof LockUnavailableError && (error.cause as { code?: unknown } | undefined)?.code === BEATEN
}

/** `lock` is for messages. Rejects as a driver does. */
export async function ask(
  pool: PostgresPool,
  effect: Effect,
  lock: string,
  { deadlineMs, signal }: Call,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  const client = await borrow(pool, lock, deadlineMs, signal)
  client.on('error', ignored)
  let isWhole = false
  try {
    const asked = client.query(text, values)
    const { rows } = await within(asked, deadlineMs, effect === 'asks' ? signal : undefined)
    isWhole = true
    return rows
  } catch (error) {
    isWhole = isRefusal(error)
    if (effect === 'asks' && signal?.aborted) throw signal.reason
    throw isWhole || effect === 'asks' ? refused(lock, error) : new OutcomeUnknownError(error)
  } finally {
    // One whose answer is still to come, or never will, is nobody else's.
    client.release(!isWhole)
    if (isWhole) client.removeListener('error', ignored)
  }
}

async function borrow(pool: PostgresPool, lock: string, deadlineMs: number, signal: AbortSignal | undefined) {
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
  return new LockArgumentError(`${(error as Error).message}: createPostgresTable(pool) makes it`, lock)
}

function unavailable(lock: string, error: unknown): Error {
  return new LockUnavailableError(lock, error instanceof Error ? error.message : `${error}`, { cause: error })
}

/** The query has been told, too. */
function ignored(): void {}
