/** Moments that two processes of one machine agree on. */

/**
 * The same moment by two clocks, and the earlier counts: the monotonic one, which nobody can set, stands still while the machine
 * sleeps; the wall clock does not.
 */
export interface Deadline {
  /** Of the clock that all processes of the machine share, unlike that of `performance.now()`. */
  readonly monotonicMs: number
  readonly wallMs: number
}

export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/**
 * The end of a span that `leftMs` tells. The clocks are read first: should this process be stopped in between, the deadline
 * comes out too early, never too late.
 */
export function deadlineAfter(leftMs: () => number): Deadline {
  const now = { monotonicMs: monotonicMs(), wallMs: Date.now() }
  const left = leftMs()
  return { monotonicMs: now.monotonicMs + left, wallMs: now.wallMs + left }
}

/** Milliseconds until then; negative when it is over. */
export function leftOf(deadline: Deadline): number {
  return Math.min(deadline.monotonicMs - monotonicMs(), deadline.wallMs - Date.now())
}
