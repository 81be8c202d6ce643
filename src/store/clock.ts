/**
 * The store's time: milliseconds since the store began, the same in all its threads.
 * Monotonic, so that a wall clock set forward or back neither expires nor revives anything.
 */
export interface Clock {
  /** Monotonic milliseconds since any fixed moment that all threads of the process share. */
  now(): number
}

/** `performance.now()` counts from each thread's own start; the difference to the process clock makes it common. */
export function monotonicClock(): Clock {
  const [seconds, nanoseconds] = process.hrtime()
  const offsetMs = seconds * 1000 + nanoseconds / 1e6 - performance.now()
  return { now: () => performance.now() + offsetMs }
}
