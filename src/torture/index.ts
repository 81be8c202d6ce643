/** `latchkey/torture`: lock algorithms, popular ones and ours, under faults, and who broke what. */
export type * from './algorithm.js'
export * from './faults.js'
export type * from './history.js'
export type * from './laboratory.js'
export type * from './plan.js'
