/** `latchkey/compat/redlock`: the API of redlock 5 over the drivers of latchkey/locks. */
export type { Client } from './clients.js'
export { ExecutionError, ResourceLockedError } from './errors.js'
export type { ExecutionResult, ExecutionStats } from './execution.js'
export { Lock } from './lock.js'
export { Redlock as default, type Routine } from './redlock.js'
export type { RedlockAbortSignal } from './routine-signal.js'
export type { Settings } from './settings.js'
