/** A driver knows keys, users know names. */
import { LockArgumentError, LockError, LockUnavailableError } from './errors.js'

/** A driver's error, told of the lock by this name. */
export function named(name: string, error: unknown): unknown {
  if (!(error instanceof LockError) || error.lock === name) return error
  if (error instanceof LockArgumentError) return new LockArgumentError(error.message, name)
  if (!(error instanceof LockUnavailableError)) return error
  const { why, cause, retryAfterMs } = error
  return new LockUnavailableError(name, why, { cause, ...(retryAfterMs !== undefined && { retryAfterMs }) })
}
