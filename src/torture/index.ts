/** `latchkey/torture`: lock algorithms, popular ones and ours, under faults, and who broke what. */
export type * from './algorithm.js'
export type { Fault, Mishap, Sieve } from './faults/fault-flow.js'
export { type ConnectionFault, FaultProxy } from './faults/fault-proxy.js'
export { reset } from './faults/reset.js'
export * from './faults.js'
export type * from './history.js'
export type * from './laboratory.js'
export type * from './plan.js'
