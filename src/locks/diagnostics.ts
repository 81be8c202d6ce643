/**
 * Events on node:diagnostics_channel, of each lock from the asking for it to its end. Nothing is made or published where nobody
 * subscribes, and nothing that a subscriber does, or throws, changes what happens to a lock.
 *
 * | channel | message |
 * |---|---|
 * | `latchkey:lock:acquire` | `LockEvent`: it is asked for, or asked for again with a text of `serialize` |
 * | `latchkey:lock:wait` | the same object, with `waiting`: another has it, and it is waited for |
 * | `latchkey:lock:grant` | the same, with `owner`, `fence`, `waitMs`: it is held |
 * | `latchkey:lock:error` | the same, with `error`, `waitMs`: it is not held, and nothing follows |
 * | `latchkey:lock:extend` | `ExtensionEvent`: each try to extend its lease |
 * | `latchkey:lock:lost` | the `LockEvent`, with `why`, `heldMs` |
 * | `latchkey:lock:release` | the same, with `outcome`, `heldMs` |
 *
 * Each `acquire` is followed by one `grant` or `error`, and each `grant` by one `lost` or `release`.
 */
import { type Channel, channel } from 'node:diagnostics_channel'
import type { Guarantee, ReleaseOutcome } from './types.js'

/**
 * One acquisition: the same object from its beginning to its end, so that a subscriber can keep what it needs beside it in a WeakMap.
 * What is not known yet is undefined.
 */
export interface LockEvent {
  /** The lock's name, without the prefix. */
  readonly name: string
  /** The driver's kind: `memcached`, `store`, `redis`, … */
  readonly driver: string
  readonly guarantee: Guarantee
  /** The lease that was asked for, in milliseconds. */
  readonly ttlMs: number
  readonly maxHoldMs: number
  /** By `restore`, not by `acquire`. */
  readonly restored: boolean
  /** In the server's queue, or by asking again and again; undefined: it was not waited for. */
  readonly waiting: 'queue' | 'poll' | undefined
  /** From the asking to the grant or the error. undefined, too, when nobody subscribed before it was asked for. */
  readonly waitMs: number | undefined
  readonly owner: string | undefined
  /** Undefined without the guarantee `fenced`, too. */
  readonly fence: bigint | undefined
  /** From the beginning of the lease, as `maxHold` counts, until it was lost or its release was asked for. */
  readonly heldMs: number | undefined
  /** Of a loss, in words. */
  readonly why: string | undefined
  /** `detached`: `serialize` has handed it over. */
  readonly outcome: ReleaseOutcome | 'detached' | undefined
  /** What `acquire` or `restore` rejects with. */
  readonly error: unknown
}

/** One try to extend a lease: a renewal, or one of those that `extend` makes. */
export interface ExtensionEvent {
  readonly lock: LockEvent
  readonly by: Extender
  /** `gone`: the server has it no more, and `lost` follows. `failed`: the server did not answer, and the lease runs on. */
  readonly status: 'extended' | 'gone' | 'failed'
  /** The new lease, in milliseconds. */
  readonly ttlMs: number
  /** How long it took, in milliseconds. */
  readonly ms: number
  /** Of `failed`. From a helper thread an Error with the same message and code. */
  readonly error: unknown
}

export type Extender = 'renewal' | 'caller'

/** The message of each channel. */
export interface LockChannels {
  'latchkey:lock:acquire': LockEvent
  'latchkey:lock:wait': LockEvent
  'latchkey:lock:grant': LockEvent
  'latchkey:lock:error': LockEvent
  'latchkey:lock:extend': ExtensionEvent
  'latchkey:lock:lost': LockEvent
  'latchkey:lock:release': LockEvent
}

export const channels = {
  acquire: named('latchkey:lock:acquire'),
  wait: named('latchkey:lock:wait'),
  grant: named('latchkey:lock:grant'),
  error: named('latchkey:lock:error'),
  extend: named('latchkey:lock:extend'),
  lost: named('latchkey:lock:lost'),
  release: named('latchkey:lock:release'),
} as const

function named(name: keyof LockChannels): Channel {
  return channel(name)
}
