/** The errors that callers of redlock 5 know, by its names. Both carry what was behind them as `cause`. */
import type { ExecutionStats } from './execution.js'

/** Another holds one of the resources, or a lock that was held has ended. Told by the event `error`, and among the votes. */
export class ResourceLockedError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ResourceLockedError'
  }
}

/** What was asked for was not done: `attempts` tells what each try came to. */
export class ExecutionError extends Error {
  readonly attempts: ReadonlyArray<Promise<ExecutionStats>>

  constructor(message: string, attempts: ReadonlyArray<Promise<ExecutionStats>>, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ExecutionError'
    this.attempts = attempts
  }
}
