/** Until when a holder may believe that it holds. */
import { ROUNDING_MS } from './clock.js'
import type { Lease } from './driver.js'

/**
 * Two clocks that count the same lease may drift apart: by less than this part of it. Quartz is a hundredth of that wrong,
 * and time daemons slew by at most half of it. A long wait in a server’s queue is such a span, too.
 */
export const DRIFT = 1 / 1000

/** A lease, and what the holder may think of it. */
export interface Held {
  readonly lease: Lease
  readonly ttlMs: number
  /** By the holder's clock. */
  readonly validUntil: number
}

/** What is kept off every lease, in milliseconds: the drift of clocks, and what ours does not count. */
export function marginMs(ttlMs: number): number {
  return ROUNDING_MS + ttlMs * DRIFT
}

/** The end of a lease that counts from `from` at the earliest: before that, the server has not given it to another. */
export function validUntil(from: number, ttlMs: number, granularityMs: number): number {
  return from + ttlMs - granularityMs - marginMs(ttlMs)
}

export function believe(lease: Lease, ttlMs: number): Held {
  return { lease, ttlMs, validUntil: validUntil(lease.from, ttlMs, lease.granularityMs) }
}
