/** What the client's errors mean for a lock: that nothing was done, or that nobody knows. */
import {
  CacheError,
  ConnectionLostError,
  DeadlineExceededError,
  InvalidArgumentError,
  ProtocolError,
  ServerError,
  UnsupportedError,
} from '../../../client/index.js'
import { LockArgumentError, LockUnavailableError, OutcomeUnknownError } from '../../errors.js'

const GRACE = /lock grace: (\d+) ms/

/**
 * `asks` changes nothing, so that without an answer nothing is known and nothing done. `adds` is refused as a whole. `changes`
 * may do harm even when the server refuses it: memcached drops the old value when it has no memory for the new one.
 */
export type Effect = 'asks' | 'adds' | 'changes'

/** As the request, with errors of locks. What is no error of the client, such as the reason of a signal, stays. */
export function sending<R>(lock: string, effect: Effect, request: Promise<R>): Promise<R>
export function sending<R, T>(lock: string, effect: Effect, request: Promise<R>, read: (result: R) => T): Promise<T>
export function sending<R>(
  lock: string,
  effect: Effect,
  request: Promise<R>,
  read?: (result: R) => unknown,
): Promise<unknown> {
  return request.then(read, (error) => {
    throw asLockError(error, lock, effect)
  })
}

function asLockError(error: unknown, lock: string, effect: Effect): unknown {
  if (!(error instanceof CacheError)) return error
  if (error instanceof InvalidArgumentError || error instanceof UnsupportedError) {
    return new LockArgumentError(error.message, lock)
  }
  if (effect !== 'asks' && isUnknown(error, effect)) return new OutcomeUnknownError(error)
  const grace = error instanceof ServerError ? GRACE.exec(error.message) : null
  if (grace === null) return new LockUnavailableError(lock, error.message, { cause: error })
  const retryAfterMs = Number(grace[1])
  return new LockUnavailableError(lock, `the server has just restarted: ${grace[0]}`, { cause: error, retryAfterMs })
}

function isUnknown(error: CacheError, effect: Effect): boolean {
  if (error instanceof DeadlineExceededError) return error.sent
  if (error instanceof ServerError) return effect === 'changes' && !GRACE.test(error.message)
  return error instanceof ConnectionLostError || error instanceof ProtocolError
}
