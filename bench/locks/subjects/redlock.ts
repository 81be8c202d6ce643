import type { Redis } from 'ioredis'
import Redlock from 'redlock'
import { connectRedis } from './connect.js'
import type { LockSubject, OpenLockSubject } from './subject.js'

/** What is used here of redlock, and of its fork. */
interface RedlockLike {
  acquire(resources: string[], durationMs: number): Promise<Lock>
  quit(): Promise<void>
}

interface Lock {
  readonly expiration: number
  release(): Promise<unknown>
}

/** By default it gives up after ten retries, two seconds; −1 is for ever. */
export const patience = { retryCount: -1 }

/** One server of the several that it is made for. It extends a lock only within `using`. */
export function redlockBy(make: (redis: Redis) => RedlockLike): OpenLockSubject {
  return async ({ port }, { ttlMs }): Promise<LockSubject<Lock>> => {
    const redlock = make(await connectRedis(port!))
    return {
      acquire: (name) => redlock.acquire([name], ttlMs),
      release: (lock) => lock.release(),
      holds: (lock) => lock.expiration > Date.now(),
      close: () => redlock.quit(),
    }
  }
}

export const open = redlockBy((redis) => new Redlock([redis], patience))
