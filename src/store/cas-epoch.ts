/**
 * Where CAS tokens begin. They count from 2020 in 4096ths of a microsecond, finer than any stripe can hand them out: so
 * what a table gave in its life is below what the clock says at its end, and the next one's begin above that.
 */
const BEGINNING_MS = Date.UTC(2020, 0, 1)
const STEPS_PER_MS = 4096n * 1000n

/** The first token of a table that is made at this time of the wall clock. */
export function casEpochAt(wallMs: number): bigint {
  return BigInt(Math.floor(wallMs) - BEGINNING_MS) * STEPS_PER_MS
}

/** Above every token that a table which began at `epoch` can have given after `ms` of its life. */
export function casCeiling(epoch: bigint, ms: number): bigint {
  return epoch + BigInt(Math.ceil(ms) + 1) * STEPS_PER_MS
}
