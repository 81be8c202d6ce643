/** The ways of keeping locks: one file each. */
export { type MemcachedLockOptions, type MemcachedOptions, memcached } from './memcached.js'
export { store } from './store.js'
