import { type Lock, Verrou } from '@verrou/core'
import { redisStore } from '@verrou/core/drivers/redis'
import { connectRedis } from './connect.js'
import type { LockSubject, Target, Terms } from './subject.js'

/** It waits without end by default, and does not renew. */
export async function open({ port }: Target, { ttlMs }: Terms): Promise<LockSubject<Lock>> {
  const redis = await connectRedis(port!)
  const verrou = new Verrou({ default: 'redis', stores: { redis: { driver: redisStore({ connection: redis }) } } })
  return {
    acquire: async (name) => {
      const lock = verrou.createLock(name, ttlMs)
      if (!(await lock.acquire())) throw new Error(`${name} was not acquired`)
      return lock
    },
    release: (lock) => lock.release(),
    holds: (lock) => !lock.isExpired(),
    close: async () => void (await redis.quit()),
  }
}
