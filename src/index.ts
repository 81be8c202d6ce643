/** What most programs need: a server to start, and a store to share between threads. */
export * from './server/index.js'
export * from './store/index.js'
