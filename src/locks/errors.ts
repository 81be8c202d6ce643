/** Every error of the locks: a class to catch and a `code` that stays. What failed to acquire leaves nothing to release. */
import type { LockInfo } from './types.js'

/** The common base. `code` is stable across versions, `message` is for people. */
export class LockError extends Error {
  readonly code: string
  /** The lock's name. */
  readonly lock: string

  constructor(code: string, lock: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.lock = lock
    this.name = new.target.name
  }
}

/** Thrown before anything is sent: a name, a span or a combination of options that no lock could have. */
export class LockArgumentError extends LockError {
  constructor(message: string, lock = '', options?: ErrorOptions) {
    super('LOCK_ARGUMENT', lock, message, options)
  }
}

/** Thrown by `acquire` without `wait` when another holds the lock: `holder` tells who, as far as the server could say. */
export class LockBusyError extends LockError {
  readonly holder: LockInfo | undefined

  constructor(lock: string, holder: LockInfo | undefined) {
    super('LOCK_BUSY', lock, `${lock} is held${byWhom(holder)}`)
    this.holder = holder
  }
}

/** Thrown by `acquire` when the time it was to wait is over and another still holds the lock. */
export class LockWaitTimeoutError extends LockError {
  readonly holder: LockInfo | undefined

  constructor(lock: string, waitMs: number, holder: LockInfo | undefined) {
    super('LOCK_WAIT_TIMEOUT', lock, `${lock} was not free within ${Math.round(waitMs)} ms: held${byWhom(holder)}`)
    this.holder = holder
  }
}

/**
 * Thrown by `assertHeld` and `extend`, and the reason of a lock's `signal`, when the lease is over, was taken away, or is
 * not certain any more. A lock once lost stays lost.
 */
export class LockLostError extends LockError {
  constructor(lock: string, why: string, options?: ErrorOptions) {
    super('LOCK_LOST', lock, `${lock} is lost: ${why}`, options)
  }
}

/**
 * The reason of a leader's `signal`, and what `onLost` is told, when a term has ended by its own leader's doing: it has resigned, it
 * stands no more, or what it was to do as the leader has failed, which is then the `cause`. A leader that was deposed has the
 * LockLostError of its lock instead.
 */
export class LeadershipEndedError extends LockError {
  constructor(name: string, why: string, options?: ErrorOptions) {
    super('LEADERSHIP_ENDED', name, `the leadership of ${name} has ended: ${why}`, options)
  }
}

/**
 * Thrown when the server cannot be asked, or may not be believed yet, and so nothing was acquired: no connection, no memory,
 * a restart less than a maximum lease ago. `retryAfterMs` tells when that will be over, where it is known.
 */
export class LockUnavailableError extends LockError {
  readonly retryAfterMs: number | undefined
  /** The message without the lock. */
  readonly why: string

  constructor(lock: string, why: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super('LOCK_UNAVAILABLE', lock, `${lock} cannot be had: ${why}`, options)
    this.retryAfterMs = options.retryAfterMs
    this.why = why
  }
}

/**
 * Thrown when a request may or may not have been carried out, and asking again did not tell before the time was over. The
 * lock is not held; what may have been left on the server is taken away as soon as that answers, or ends with its lease.
 */
export class LockAmbiguousError extends LockError {
  constructor(lock: string, why: string, options?: ErrorOptions, what = 'it was acquired') {
    super('LOCK_AMBIGUOUS', lock, `${lock}: it is not known whether ${what}: ${why}`, options)
  }
}

/** Thrown by `wait` of a barrier or a countdown when the time it was to wait is over and some have not arrived. */
export class ArrivalTimeoutError extends LockError {
  /** How many had not arrived, when it was last seen. */
  readonly missing: number

  constructor(name: string, waitMs: number, missing: number) {
    super('LOCK_ARRIVAL_TIMEOUT', name, `${name}: ${missing} had not arrived within ${Math.round(waitMs)} ms`)
    this.missing = missing
  }
}

/**
 * What a driver rejects with when a request may or may not have been carried out: the reply was lost, or did not come in
 * time. The core resolves it; users never see it.
 */
export class OutcomeUnknownError extends Error {
  constructor(cause: unknown) {
    super(`outcome unknown: ${cause instanceof Error ? cause.message : cause}`, { cause })
    this.name = 'OutcomeUnknownError'
  }
}

function byWhom(holder: LockInfo | undefined): string {
  if (holder === undefined) return ''
  const { host, pid, label, leftMs } = holder
  const who = [label, pid === undefined ? undefined : `pid ${pid}`, host]
    .filter((part) => part !== undefined)
    .join(', ')
  return `${who === '' ? '' : ` by ${who}`}${leftMs === undefined ? '' : `, for ${Math.ceil(leftMs)} ms more`}`
}
