/** memcached's binary protocol, as bytes: requests in, responses out. */
export * from './frame.js'
export { Opcode } from './opcode.js'
export * from './plain.js'
export * from './response.js'
export { BinaryStatus } from './status.js'
