/** memcached's expiry times on the wire, as milliseconds to live. */

/** 30 days: beyond it a number is a unix time. */
export const MAX_RELATIVE_SECONDS = 2_592_000

/** `exptime` in seconds as sent: 0 never, negative now, above 30 days a unix time. The answer: 0 never, −1 over already. */
export function ttlMs(exptime: number, nowMs: number): number {
  if (exptime === 0) return 0
  if (exptime < 0) return -1
  if (exptime <= MAX_RELATIVE_SECONDS) return exptime * 1000
  const left = exptime * 1000 - nowMs
  return left > 0 ? left : -1
}
