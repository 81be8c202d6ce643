/** What most programs need: a client, locks, a server to start, and a store to share between threads. */
export { bytes, type Client, type ClientOptions, compressed, createClient, json, text } from './client/index.js'
export { createLocks, type Lock, type Locks, memcached } from './locks/index.js'
export * from './server/index.js'
export * from './store/index.js'
