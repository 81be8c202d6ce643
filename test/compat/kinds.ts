/** The real redlock on Redis, and ours: what both do alike is tested by the same code. */
import type { TestContext } from 'node:test'
import Latchkey, * as latchkey from 'latchkey/compat/redlock'
import { createLocks, type LockDriver, memcached, store } from 'latchkey/locks'
import { serve } from 'latchkey/server'
import { Store } from 'latchkey/store'
import Redlock, * as redlock from 'redlock'
import { RedisServer, requireRedis } from '../support/redis.js'

export type Settings = Partial<latchkey.Settings>

export interface AnyStats {
  readonly membershipSize: number
  readonly quorumSize: number
  readonly votesFor: ReadonlySet<unknown>
  readonly votesAgainst: ReadonlyMap<unknown, Error>
}

export interface AnyLock {
  readonly resources: string[]
  readonly value: string
  readonly expiration: number
  readonly attempts: ReadonlyArray<Promise<AnyStats>>
  release(): Promise<{ attempts: ReadonlyArray<Promise<AnyStats>> }>
  extend(duration: number): Promise<AnyLock>
}

export type AnySignal = AbortSignal & { error?: Error }
type AnyRoutine<T> = (signal: AnySignal) => Promise<T>

/** What both have: that either of them can stand here is checked by the compiler. */
export interface AnyRedlock {
  acquire(resources: string[], duration: number, settings?: Settings): Promise<AnyLock>
  using<T>(resources: string[], duration: number, settings: Settings, routine: AnyRoutine<T>): Promise<T>
  using<T>(resources: string[], duration: number, routine: AnyRoutine<T>): Promise<T>
  on(event: 'error', listener: (error: unknown) => void): unknown
  quit(): Promise<void>
}

export interface Setting {
  readonly ExecutionError: typeof redlock.ExecutionError | typeof latchkey.ExecutionError
  readonly ResourceLockedError: typeof redlock.ResourceLockedError | typeof latchkey.ResourceLockedError
  create(settings?: Settings): AnyRedlock
  /** The constructor itself, for what it refuses. */
  construct(clients: unknown): unknown
  /** Somebody takes the lock away. */
  takeAway(resource: string): Promise<unknown>
  stop(): Promise<unknown>
}

export interface Kind {
  readonly name: string
  /** undefined where a peer is missing, and the test is marked as skipped. */
  start(t: TestContext): Promise<Setting | undefined>
}

export const kinds: readonly Kind[] = [
  { name: 'redlock on Redis', start: onRedis },
  { name: 'ours on a store', start: onStore },
  { name: 'ours on Latchkey', start: onLatchkey },
]

async function onRedis(t: TestContext): Promise<Setting | undefined> {
  if (!requireRedis(t)) return undefined
  const server = await RedisServer.start()
  const admin = server.connect()
  await admin.ping()
  return {
    ExecutionError: redlock.ExecutionError,
    ResourceLockedError: redlock.ResourceLockedError,
    create: (settings) => new Redlock([admin], settings),
    construct: (clients) => new Redlock(clients as never),
    takeAway: (resource) => admin.del(resource),
    stop: () => server.stop(),
  }
}

async function onStore(): Promise<Setting> {
  const shared = new Store({ memory: '16mb' })
  return ours(
    () => store(shared),
    async () => shared.close(),
  )
}

async function onLatchkey(): Promise<Setting> {
  const server = await serve({ port: 0, threads: 2, memory: '16mb' })
  const servers = `127.0.0.1:${server.port}`
  return ours(
    () => memcached({ servers, freshServers: 'trust' }),
    () => server.close(),
  )
}

function ours(driver: () => LockDriver, stop: () => Promise<unknown>): Setting {
  const locks = createLocks(driver(), { deadlineMs: 20_000 })
  const made: AnyRedlock[] = []
  return {
    ExecutionError: latchkey.ExecutionError,
    ResourceLockedError: latchkey.ResourceLockedError,
    create(settings) {
      const redlock = new Latchkey([createLocks(driver(), { deadlineMs: 20_000 })], settings)
      made.push(redlock)
      return redlock
    },
    construct: (clients) => new Latchkey(clients as never),
    takeAway: (resource) => locks.forceRelease(resource),
    async stop() {
      for (const redlock of made) await redlock.quit()
      await locks.close()
      await stop()
    },
  }
}
