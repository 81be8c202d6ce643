/** The public vocabulary of the locks. Spans are milliseconds, or text such as `'30s'`. */
import type { Span } from '../time/index.js'

/**
 * What a lock is good for.
 * `efficiency`: saves double work, nothing worse must come of two holders. No fence, and a server that has just restarted is
 * believed. `lease`: exclusive as long as the holder looks at its lease (`signal`, `assertHeld`). No fence. `fenced`: as
 * `lease`, and with a fence, so that a resource which checks it is safe whatever happens to the holder.
 */
export type Guarantee = 'efficiency' | 'lease' | 'fenced'

/** `suspect`: the last renewal failed, and the lease still runs. `lost` and `released` are final. */
export type LockState = 'held' | 'suspect' | 'lost' | 'released'

export interface LocksOptions {
  /** The lease, where `acquire` names none. Default 30s. */
  ttl?: Span
  /** Longest that a lock is renewed, from when it was acquired; after that its lease runs out. Default 1h. */
  maxHold?: Span
  /** Put before every name to make the key. Latchkey never evicts what begins with the default, `latchkey:lock:`. */
  prefix?: string
  /** A round trip to the server takes at most so long, in milliseconds. Default 1000. */
  deadlineMs?: number
  /** Default `fenced`. */
  guarantee?: Guarantee
  /** Who holds, for others to see. Default: the file name of the program. */
  label?: string
}

export interface AcquireOptions {
  /** The lease: after so long without renewal the lock is free again, whatever has become of the holder. */
  ttl?: Span
  /** How long to wait for a lock that another holds. Default 0: not at all. */
  wait?: Span
  /** Longest that it is renewed. */
  maxHold?: Span
  /**
   * How the lease is kept: by a timer of this thread every third of the lease (default), by a helper thread, which also
   * does it while this thread's event loop is blocked, or not at all.
   */
  renew?: boolean | 'thread'
  /**
   * With `renew: 'thread'`: when this thread's event loop has been blocked for so long, the helper thread stops renewing,
   * and the lease runs out. Default: as `maxHold`.
   */
  maxStall?: Span
  /** What must be left of the lease when `acquire` returns, or else it fails. Default: a third of the lease. */
  minRemaining?: Span
  guarantee?: Guarantee
  label?: string
  /** Ends the waiting. A lock that is held already is not touched by it. */
  signal?: AbortSignal
}

/** A lock as the server has it. */
export interface LockInfo {
  readonly name: string
  /** The owner token: one for every acquisition. */
  readonly owner: string
  /** undefined for a lock without a fence. */
  readonly fence: bigint | undefined
  readonly host: string | undefined
  readonly pid: number | undefined
  readonly label: string | undefined
  /** When it was acquired, by the holder's clock. */
  readonly since: Date | undefined
  /** Milliseconds of the lease that are left; undefined where the server cannot tell. */
  readonly leftMs: number | undefined
  /** Who waits in the server's queue; undefined where there is none. */
  readonly waiters: number | undefined
}

/**
 * What became of a release. `released`: it was ours, and is free. `lost`: it had ended before, or was taken away; nothing was
 * touched. `unknown`: the server has not answered; the lease ends by itself.
 */
export type ReleaseOutcome = 'released' | 'lost' | 'unknown'
