/** A memcached server in this process: `const server = await serve({ port: 0 })`. */
export type { ServeOptions } from './options.js'
export type { MemoryFileProgress } from './restart/memory-file.js'
export { Server, serve, versionText } from './server.js'
