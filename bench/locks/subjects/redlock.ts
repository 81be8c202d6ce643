import Redlock, { type Lock } from 'redlock'
import { connectRedis } from './connect.js'
import type { LockSubject, Target, Terms } from './subject.js'

/** One server of the several that it is made for. It extends a lock only within `using`. */
export async function open({ port }: Target, { ttlMs }: Terms): Promise<LockSubject<Lock>> {
  const redis = await connectRedis(port!)
  // By default it gives up after ten retries, two seconds; −1 is for ever.
  const redlock = new Redlock([redis], { retryCount: -1 })
  return {
    acquire: (name) => redlock.acquire([name], ttlMs),
    release: (lock) => lock.release(),
    holds: (lock) => lock.expiration > Date.now(),
    close: () => redlock.quit(),
  }
}
