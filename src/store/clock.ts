/**
 * The store's time: milliseconds since the store began, the same in all its threads.
 * Monotonic, so that a wall clock set forward or back neither expires nor revives anything.
 */
export interface Clock {
  /** Monotonic milliseconds since any fixed moment that all threads of the process share. */
  now(): number
}

/** Looks at two clocks, of which the closest counts: a thread may be put aside between them, and then be late for ever. */
const LOOKS = 16

/** `performance.now()` counts from each thread's own start; the difference to the process clock makes it common. */
export function monotonicClock(): Clock {
  let offsetMs = 0
  let closestMs = Number.POSITIVE_INFINITY
  for (let look = 0; look < LOOKS; look++) {
    const before = performance.now()
    const [seconds, nanoseconds] = process.hrtime()
    const after = performance.now()
    if (after - before >= closestMs) continue
    closestMs = after - before
    offsetMs = seconds * 1000 + nanoseconds / 1e6 - (before + after) / 2
  }
  return { now: () => performance.now() + offsetMs }
}
