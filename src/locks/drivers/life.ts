/** How long an item has to live, so that it is there for as long as its holder believes. */

/** Both its beginning and its end are told by clocks that have whole milliseconds only. */
const ROUNDING_MS = 2

/** Whole milliseconds, longer rather than shorter: the holder counts for himself. */
export function lifeMs(ttlMs: number): number {
  return Math.ceil(ttlMs) + ROUNDING_MS
}
