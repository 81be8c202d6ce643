/**
 * What the core needs of a way of keeping locks; each file in `drivers/` is one. A driver knows servers and wire formats and
 * nothing of waiting, renewing or believing, which are the core's.
 *
 * All methods reject with `LockUnavailableError` when nothing was done and nothing is known, with `OutcomeUnknownError` when
 * it may or may not have been done, with `LockArgumentError` for what this server can never do, and with the reason of
 * `call.signal` once that aborts. Times are milliseconds, and moments those of `call.clock`.
 */
import type { Guarantee } from './types.js'

/**
 * What an engine compares to tell one state of a lock from every other: its driver's own, which nobody else looks into. Plain, so
 * that it can be sent to another process.
 */
export type Version = bigint | string

/** Passed in, so that tests can have time of their own. Never goes back. */
export interface Clock {
  now(): number
}

/** How one request is to be made. */
export interface Call {
  readonly clock: Clock
  /** From now, for each round trip; a wait in a queue comes on top. */
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
  /** Only to tell of it: called, perhaps several times, when a claim has to wait in the server's queue. */
  readonly onQueued?: (() => void) | undefined
}

/** What is written down about a holder. */
export interface Holder {
  /** 128 random bits in hexadecimal, fresh for each acquisition. */
  readonly owner: string
  readonly host?: string | undefined
  readonly pid?: number | undefined
  readonly label?: string | undefined
  /** Unix time in milliseconds, by the holder's clock. */
  readonly since?: number | undefined
}

export interface Claim {
  /** The lock's key: prefix and name. */
  readonly key: string
  /** For messages. */
  readonly name: string
  readonly holder: Holder
  readonly ttlMs: number
  /** How long the server may keep the claim in its queue; 0 for not at all. A server without queues answers at once. */
  readonly waitMs: number
  readonly guarantee: Guarantee
  /**
   * The fence that the lock is to have, chosen by whoever asks several servers for one lock; undefined: this server's own. Such
   * a claim does not wait.
   */
  readonly fence?: bigint | undefined
}

/** A lock that is held, as its driver has to know it to extend and release it. Plain data: it can be sent to another process. */
export interface Lease<V extends Version = Version> {
  readonly key: string
  readonly name: string
  readonly holder: Holder
  /** Greater than the fence of every earlier holder of this name; undefined without the guarantee `fenced`. */
  readonly fence: bigint | undefined
  /** As it was claimed; undefined: not known, and then nothing is waived for it. */
  readonly guarantee?: Guarantee | undefined
  /** What release and extend compare: on memcached the item's token, which every extension changes. */
  readonly version: V
  /**
   * The moment from which the lease counts: not later than when the server began to count. That is before the winning request
   * was sent or, if the server says that it kept the request waiting, so much after that.
   */
  readonly from: number
  /** The server may end a lease so much early: a second on stock memcached, 0 where time is counted in milliseconds. */
  readonly granularityMs: number
}

/** What a server has under a key. */
export interface Found<V extends Version = Version> {
  readonly key: string
  readonly holder: Holder
  readonly fence: bigint | undefined
  readonly version: V
  /** Milliseconds of the lease that are left; undefined where the server does not tell. */
  readonly leftMs: number | undefined
  readonly waiters: number | undefined
}

export type ClaimResult =
  | {
      readonly status: 'held'
      readonly lease: Lease
      /** Of a claim that names its fence: the greatest that this server had been told of before. */
      readonly floor?: bigint | undefined
    }
  | {
      readonly status: 'busy'
      /** Who holds it, if that was learned on the way. */
      readonly found: Found | undefined
      /** True when the server's queue was waited in for `waitMs`; false when the core has to poll. */
      readonly queued: boolean
    }

/** What a configuration can promise, for `explain()`. */
export interface Facts {
  /** Such as `Latchkey 0.1.0 at 127.0.0.1:11211`. */
  readonly what: string
  /** May the lock be thrown out while its lease runs? undefined: it could not be found out. */
  readonly evicts: boolean | undefined
  /** Do leases outlive a restart of the server, or are they refused until the old ones are over? */
  readonly survivesRestart: boolean
  /** It comes back from a restart with the locks that it had, and nobody has to wait. */
  readonly durable?: boolean | undefined
  readonly granularityMs: number
  readonly queues: boolean
  /**
   * What becomes of locks when another server takes over: `majority` has heard of each, an `asynchronous` replica maybe not.
   * undefined: none takes over.
   */
  readonly replicas?: 'majority' | 'asynchronous' | undefined
  /** Does a lock end with the connection of its holder, also one that was cut and whose holder lives? */
  readonly endsWithConnection?: boolean | undefined
  /** Can the holder's machine fail without the server noticing? False for threads of one process. */
  readonly remote: boolean
  /** How many servers are asked for one lock, and how many have to agree. undefined: it is one. */
  readonly quorum?: { readonly servers: number; readonly needed: number } | undefined
  /** Further sentences for whoever asks. */
  readonly notes: readonly string[]
}

/** What a register holds. */
export interface Registered<V extends Version = Version> {
  readonly value: string
  /** What a swap compares. */
  readonly version: V
}

/**
 * Values that outlive whoever wrote them, changed only by who has seen what is there: for what is built on locks and has to
 * remember, such as when a job last ran. No register is a lock, and none is listed as one.
 */
export interface Registers {
  /** Never older than what the last swap that anybody was told of has left. */
  read(key: string, call: Call): Promise<Registered | undefined>
  /**
   * Writes if the register has still the version `before`, or nothing where that is undefined; the new version, or undefined when it
   * was changed meanwhile. Kept for `ttlMs` at least, counted from when the last swap was asked for, as long as the engine forgets
   * nothing. Rejects with LockArgumentError for more than 4 KiB of text, or a `ttlMs` that is not above 0 and up to 100 years.
   */
  swap(key: string, value: string, before: Version | undefined, ttlMs: number, call: Call): Promise<Version | undefined>
}

export interface LockDriver {
  /** `store`, `memcached`. */
  readonly kind: string
  /** Takes the lock if it is free, or waits its turn where the server has queues. */
  claim(claim: Claim, call: Call): Promise<ClaimResult>
  /**
   * Gives the lease a new life of `ttlMs`, if it is still this one's; undefined when it is not. Never makes it anew. `from` and
   * `granularityMs` of the result are this server's own, whatever the lease that was given says.
   */
  extend(lease: Lease, ttlMs: number, call: Call): Promise<Lease | undefined>
  /**
   * Tells the server of a fence that was chosen elsewhere, and gives back the greatest that it had been told of before for this key
   * or others. Only where claims may name their fence.
   */
  raise?(key: string, fence: bigint, call: Call): Promise<bigint>
  /** Deletes it if the server still has this version. False when it is gone or another's. */
  release(key: string, version: Version, call: Call): Promise<boolean>
  /** What the server has under this key now. */
  find(key: string, call: Call): Promise<Found | undefined>
  /** All locks whose key begins so, in no order; expensive on stock memcached. */
  list(keyPrefix: string, call: Call): AsyncIterable<Found>
  facts(key: string, call: Call): Promise<Facts>
  /** undefined where there can be none: a majority that has voted on a value says nothing about the next one. */
  readonly registers?: Registers | undefined
  /**
   * How a helper thread makes the same driver: a module whose `default` export takes `options`, which can be cloned. undefined
   * where it cannot be made again.
   */
  readonly remake?: { readonly module: string; readonly options: unknown } | undefined
  close(): Promise<void>
}
