/** How long an item has to live, so that it is there for as long as its holder believes. */

/** Both its beginning and its end are told by clocks that have whole milliseconds only. */
const ROUNDING_MS = 2

/**
 * Two clocks that count the same span may differ by less than this part of it; what is kept off leases allows for as much. A
 * long wait in a server's queue is such a span, too.
 */
export const DRIFT = 1 / 1000

/** Whole milliseconds, longer rather than shorter: the holder counts for himself. */
export function lifeMs(ttlMs: number): number {
  return Math.ceil(ttlMs) + ROUNDING_MS
}
