/** The client's public vocabulary: options, and the shapes that go in and come out. */
import type { ConnectionOptions } from 'node:tls'
import type { Codec } from './codec.js'
import type { Distribution } from './ring.js'
import type { Span, Ttl } from './ttl.js'

/** Text, or up to 250 bytes; bytes with spaces or control characters travel as base64 and may be 186. */
export type Key = string | Uint8Array

export interface ServerAddress {
  /** Host name or address. */
  host: string
  /** Default 11211. */
  port?: number
  /** Share of the keys relative to the others; a positive integer, default 1. */
  weight?: number
}

export interface SocketAddress {
  /** Path of a Unix socket. */
  path: string
  weight?: number
}

/** `'host'`, `'host:port'`, `'[::1]:11211'`, `'/run/memcached.sock'`, or an object; `:weight` only in objects. */
export type Server = string | ServerAddress | SocketAddress

/**
 * What reads and plain sets do when the key's server cannot be reached. `fail` throws; `miss` reads nothing and stores
 * nothing; `gutter` goes to the spare servers, for a short time. Everything else always fails: a counter, a token or a
 * lock on another server than the others look at is worse than none.
 */
export type Policy = 'fail' | 'miss' | 'gutter'

export interface GutterOptions {
  /** Spare servers, outside the ring, asked only while a key's own server cannot be reached. */
  servers: Server | readonly Server[]
  /** Longest life of what is stored there, so that it is gone soon after the server is back. Default 10s. */
  ttl?: Span
}

export interface ConnectionDefaults {
  /** Connections a server; requests on one are answered in order. Default 1. */
  connections?: number
  /** Requests that may wait for one server, sent or not, before new ones are refused. Default 100,000. */
  maxPending?: number
  /** While a server is down: `fail` at once, or `wait` for it up to the deadline. Default fail. */
  whenDown?: 'fail' | 'wait'
  /** Pause before the next try to connect: random, growing from `minMs` (50) to `maxMs` (1,000). */
  reconnect?: { minMs?: number; maxMs?: number }
  /** A try to connect, and the silence of a server that owes replies, ends after so many milliseconds. Default 1,000. */
  stallMs?: number
  /** True, or options of node:tls. Default off. */
  tls?: boolean | ConnectionOptions
  /** ASCII authentication (memcached -Y); both or none. */
  username?: string
  password?: string
  /** `classic` leaves the meta commands unused even where the server has them. Default auto. */
  protocol?: 'auto' | 'classic'
}

export interface ClientOptions<T> extends ConnectionDefaults {
  /** Default 127.0.0.1:11211. Several are one ring: each key has its server, and keeps it. */
  servers?: Server | readonly Server[]
  /** How values become bytes and back. Default `text()`. */
  codec?: Codec<T>
  /** Of what is written without one of its own. Default: does not expire. */
  ttl?: Ttl
  /** A call settles within so many milliseconds. Default 1,000. */
  deadlineMs?: number
  /** Put before every key, and a part of it for the ring too. */
  keyPrefix?: string
  /** How keys are divided among several servers. Default ketama-weighted. */
  distribution?: Distribution
  policy?: Policy
  gutter?: GutterOptions
}

/** What `with` changes; connections stay shared. */
export type ViewOptions<T> = Pick<ClientOptions<T>, 'codec' | 'ttl' | 'deadlineMs' | 'keyPrefix'>

/**
 * One connection of a client, from its opening to its end, and what was found out about the server behind it. As long as it
 * lasts, so does that very process: what has been asked through it is true of whatever else goes through it.
 */
export interface Session {
  /** `host:port` or a path. */
  readonly server: string
  /** No other connection of this process has it. */
  readonly id: number
  /** As the server tells it; empty when it does not tell. */
  readonly version: string
  /** Meta commands. */
  readonly meta: boolean
  /** Compare-and-delete in one command (memcached 1.6.13). */
  readonly compareAndDelete: boolean
  /** Latchkey's extensions of the protocol. */
  readonly latchkey: boolean
}

export interface CallOptions {
  /** Overrides the client's. */
  deadlineMs?: number
  /** Ends the waiting, with the signal's reason; what was sent may still be done. */
  signal?: AbortSignal
  /**
   * Send it on this connection and no other, whichever server the key belongs to. When that connection has ended, the call
   * rejects with SessionEndedError, and nothing was sent.
   */
  session?: Session
}

export interface ReadOptions extends CallOptions {
  /** Overrides the client's. */
  policy?: Policy
}

export interface WriteOptions extends CallOptions {
  ttl?: Ttl
  /**
   * Resolve, with true, as soon as it is written to a connection. The reply is still read, since that keeps the
   * connection in step, but goes nowhere; a failure shows on the diagnostics channels only.
   */
  noreply?: boolean
}

/** Of a write that may be refused. */
export interface FormOptions {
  /**
   * Send the classic command, also where there are meta commands. When stock memcached has no memory for an `ms`, it drops the item
   * that is there, whatever the mode and the token; `add` and `cas` leave it. Default false.
   */
  classic?: boolean
}

/** Of commands whose outcome is the point. */
export interface CasOptions extends CallOptions, FormOptions {
  ttl?: Ttl
  noreply?: never
}

/** Of what is written under a lock. */
export interface FenceOptions {
  /**
   * The fence of that lock. The server refuses the write, and the call rejects with StaleFenceError, when a greater fence
   * has written this key. Latchkey only; always goes to the key's own server, whatever the policy.
   */
  fence?: bigint
}

export interface SetOptions extends WriteOptions, FenceOptions {
  policy?: Policy
}

export interface CounterOptions extends CallOptions {
  /** Create the counter with this value when it is missing; then this is the result. */
  initial?: number | bigint
  /** Life of a counter so created. */
  ttl?: Ttl
}

export interface DeleteOptions extends CallOptions, FenceOptions {
  /** Only if the item still has this token (compare-and-delete); not together with `fence`. */
  cas?: bigint
  noreply?: boolean
}

export interface UpdateOptions extends CasOptions {
  /** Of the value from now on: without one the client's, not what is left of the old one's. */
  ttl?: Ttl
}

export interface KeysOptions extends CallOptions {
  /** Only keys that begin so. */
  prefix?: string
  /** Of each server, Latchkey only: nothing but the keys that it never evicts. */
  pinned?: boolean
  /** More of them than this on one server are an error, so that memory is bounded. Default 100,000. */
  limit?: number
  session?: never
}

/** A key as a server lists it. */
export interface ListedKey {
  /** Text, or bytes where it is none that could be given as text. Without the client's `keyPrefix`. */
  readonly key: Key
  /** The server that has it; with several, not always the one the key belongs to. */
  readonly server: string
  /** When it will end, in whole seconds of the server's clock; undefined for never. */
  readonly expiresAt: Date | undefined
  readonly cas: bigint
}

export interface FlushOptions extends CallOptions {
  /** Default: at once. At most 30 days. */
  delay?: Span
}

export interface FetchOptions extends CallOptions {
  /** Keep the old value so long past its time, and serve it while one caller computes. At most 30 days; default 0. */
  stale?: Span
  /** After how long another computes instead of a caller that does not come back. At most 30 days; default 10s. */
  lease?: Span
  policy?: Policy
}

/** A value with the token that `cas` and `delete` compare. */
export interface Versioned<T> {
  value: T
  cas: bigint
}

/** `exists`: somebody else has changed the item since; `not-found`: it is gone. */
export type CasOutcome = 'stored' | 'exists' | 'not-found'

export type MetaCommand = 'mg' | 'ms' | 'md' | 'ma' | 'me'

export interface MetaReply {
  /** HD, VA, EN, NS, EX, NF or ME. */
  status: string
  /** The reply's flags as they came, such as `f0`, `c17`, `W`; of `me` the words after the key. */
  flags: string[]
  /** Bytes of a VA reply. */
  value?: Buffer
}
