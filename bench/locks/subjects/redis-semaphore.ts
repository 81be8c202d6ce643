import { Mutex } from 'redis-semaphore'
import { connectRedis } from './connect.js'
import { type LockSubject, patienceMs, type Target, type Terms } from './subject.js'

/** A mutex is made for each acquisition, as in its manual. It renews by a timer of its own after four fifths of the lease. */
export async function open({ port }: Target, { ttlMs }: Terms): Promise<LockSubject<Mutex>> {
  const redis = await connectRedis(port!)
  const options = { lockTimeout: ttlMs, acquireTimeout: patienceMs }
  return {
    acquire: async (name) => {
      const mutex = new Mutex(redis, name, options)
      await mutex.acquire()
      return mutex
    },
    release: (mutex) => mutex.release(),
    holds: (mutex) => mutex.isAcquired,
    close: async () => void (await redis.quit()),
  }
}
