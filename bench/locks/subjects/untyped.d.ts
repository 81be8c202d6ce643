/** As much as is used here and by test/compat of redlock, whose types its `exports` hide. */
declare module 'redlock' {
  import type { EventEmitter } from 'node:events'
  import type { Redis } from 'ioredis'
  export type Settings = Record<
    'driftFactor' | 'retryCount' | 'retryDelay' | 'retryJitter' | 'automaticExtensionThreshold',
    number
  >
  export interface ExecutionStats {
    readonly membershipSize: number
    readonly quorumSize: number
    readonly votesFor: Set<Redis>
    readonly votesAgainst: Map<Redis, Error>
  }
  export interface ExecutionResult {
    readonly attempts: ReadonlyArray<Promise<ExecutionStats>>
  }
  export interface Lock extends ExecutionResult {
    readonly resources: string[]
    readonly value: string
    readonly expiration: number
    release(): Promise<ExecutionResult>
    extend(duration: number): Promise<Lock>
  }
  export class ResourceLockedError extends Error {}
  export class ExecutionError extends Error {
    readonly attempts: ExecutionResult['attempts']
  }
  type Routine<T> = (signal: AbortSignal & { error?: Error }) => Promise<T>
  export default class Redlock extends EventEmitter {
    constructor(clients: Iterable<Redis>, settings?: Partial<Settings>)
    acquire(resources: string[], durationMs: number, settings?: Partial<Settings>): Promise<Lock>
    using<T>(resources: string[], durationMs: number, settings: Partial<Settings>, routine: Routine<T>): Promise<T>
    using<T>(resources: string[], durationMs: number, routine: Routine<T>): Promise<T>
    quit(): Promise<void>
  }
}
