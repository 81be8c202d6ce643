/** `latchkey/locks`: lease locks, on the embedded store and on memcached servers. */
export { type FencedUpdate, fencedUpdate, type Queryable, StaleFenceError } from '../fencing/index.js'
export type { Claim, ClaimResult, Facts, Found, Lease, LockDriver } from './driver.js'
export * from './drivers/index.js'
export * from './errors.js'
export type * from './types.js'
