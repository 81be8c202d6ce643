/** As much as is used here of redlock, whose types its `exports` hide. */
declare module 'redlock' {
  import type { Redis } from 'ioredis'
  export interface Lock {
    readonly expiration: number
    release(): Promise<unknown>
  }
  export default class Redlock {
    constructor(clients: Iterable<Redis>, settings: { retryCount: number })
    acquire(resources: string[], durationMs: number): Promise<Lock>
    quit(): Promise<void>
  }
}
