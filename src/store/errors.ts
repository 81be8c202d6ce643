/** The store's errors. `code` is stable; the message is for people. */
export class StoreError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = new.target.name
    this.code = code
  }
}

/** Thrown when an option or argument cannot be: a memory size out of range, a key too long, a negative count. */
export class StoreArgumentError extends StoreError {
  constructor(message: string) {
    super('STORE_ARGUMENT', message)
  }
}

/**
 * Thrown when a stripe, or the list of free pages, stayed locked for longer than the lock timeout. Its holder has died and
 * the thread that adopted it has not come round to repairing it, or the holder is stopped. Nothing was changed; but a flush may
 * be half done.
 */
export class StoreLockTimeoutError extends StoreError {
  constructor(waitedMs: number) {
    super('STORE_LOCK_TIMEOUT', `a stripe of the store stayed locked for ${waitedMs} ms`)
  }
}

/** Thrown by `attach` when all thread slots are taken by threads that live. */
export class StoreThreadsError extends StoreError {
  constructor(slots: number) {
    super('STORE_THREADS', `all ${slots} thread slots of the store are in use: close() those no longer needed`)
  }
}

/** Thrown when a value is larger than the item limit. The key's old value is gone, as in memcached. */
export class ValueTooLargeError extends StoreError {
  constructor(limit: number) {
    super('STORE_VALUE_TOO_LARGE', `object too large for cache (item limit ${limit} bytes)`)
  }
}

/** Thrown when a value is too long to wait in a queue with. Nothing was changed. */
export class ValueTooLongToWaitError extends StoreError {
  constructor(limit: number) {
    super('STORE_VALUE_TOO_LONG_TO_WAIT', `value too long to wait with (limit ${limit} bytes)`)
  }
}

/** Thrown when as many wait, over all keys and threads, as the store has places for. Nothing was changed. */
export class TooManyWaitersError extends StoreError {
  constructor() {
    super('STORE_TOO_MANY_WAITERS', 'too many waiters')
  }
}

/** Thrown by a wait when its thread closes the store. */
export class StoreClosedError extends StoreError {
  constructor() {
    super('STORE_CLOSED', 'the store was closed while waiting')
  }
}

/** Thrown when no memory can be freed: eviction is off, or pinned items fill their share. */
export class StoreMemoryError extends StoreError {
  constructor() {
    super('STORE_MEMORY', 'out of memory storing object')
  }
}

/**
 * Thrown when a lease on a pinned key would outlast what is written down of leases, and that cannot be written. Nothing
 * was stored.
 */
export class StoreStateError extends StoreError {
  constructor(why: string) {
    super('STORE_STATE', `lock state cannot be written: ${why}`)
  }
}

/** Thrown when a pinned key is to be created while locks of before a restart may still be held. Nothing was stored. */
export class StoreGraceError extends StoreError {
  /** Milliseconds until keys can be created again. */
  readonly leftMs: number

  constructor(leftMs: number) {
    super('STORE_GRACE', `lock grace: ${leftMs} ms left`)
    this.leftMs = leftMs
  }
}

/** Thrown when a pinned key is to live longer than a lease may last. Nothing was stored. */
export class StoreLeaseError extends StoreError {
  constructor(maxLeaseMs: number) {
    super('STORE_LEASE', `lease longer than ${maxLeaseMs} ms`)
  }
}

/** Thrown when a key cannot be written with a fence: it is too long, or is a fence register itself. */
export class StoreFenceError extends StoreError {
  constructor(message: string) {
    super('STORE_FENCE', message)
  }
}

/** Thrown by incr and decr on a value that is not a 64-bit unsigned number. */
export class NotANumberError extends StoreError {
  constructor() {
    super('STORE_NOT_A_NUMBER', 'cannot increment or decrement non-numeric value')
  }
}
