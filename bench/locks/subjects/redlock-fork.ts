import { type Lock, Redlock } from '@sesamecare-oss/redlock'
import { connectRedis } from './connect.js'
import type { LockSubject, Target, Terms } from './subject.js'

/** The fork that goes on where redlock's last beta stopped; used like it. */
export async function open({ port }: Target, { ttlMs }: Terms): Promise<LockSubject<Lock>> {
  const redis = await connectRedis(port!)
  const redlock = new Redlock([redis], { retryCount: -1 })
  return {
    acquire: (name) => redlock.acquire([name], ttlMs),
    release: (lock) => lock.release(),
    holds: (lock) => lock.expiration > Date.now(),
    close: () => redlock.quit(),
  }
}
