import type { Guarantee } from 'latchkey/locks'
import type { OpenLockSubject } from './subjects/subject.js'

export type Home = 'latchkey' | 'memcached' | 'redis' | 'shared memory'
export type Contest = 'uncontended' | 'contended' | 'renewing'

export interface LockContender {
  name: string
  home: Home
  contests: readonly Contest[]
  /** What it does by itself to keep a lock, in words for the table. */
  renewal: string
  load: () => Promise<{ open: OpenLockSubject }>
}

/** The one that the targets are about: the default guarantee, on our own server. */
export const ours = 'Latchkey, fenced'

const speed: readonly Contest[] = ['uncontended', 'contended']
const everything: readonly Contest[] = ['uncontended', 'contended', 'renewing']

/** Latchkey's locks, with this guarantee, at this home. */
function own(home: Exclude<Home, 'redis'>, guarantee: Guarantee, contests: readonly Contest[]): LockContender {
  const load = async () => ({ open: (await import('./subjects/latchkey.js')).latchkeyWith(guarantee) })
  const name = `${home === 'latchkey' ? 'Latchkey' : home}, ${guarantee}`
  return { name, home, contests, renewal: 'every 1/3 of the lease', load }
}

/** A peer, on Redis through one ioredis connection. */
function peer(name: string, contests: readonly Contest[], renewal: string, load: LockContender['load']): LockContender {
  return { name, home: 'redis', contests, renewal, load }
}

export const contenders: readonly LockContender[] = [
  own('latchkey', 'fenced', everything),
  own('latchkey', 'lease', ['uncontended']),
  own('memcached', 'fenced', everything),
  own('memcached', 'lease', ['uncontended']),
  own('shared memory', 'fenced', everything),
  peer('redlock', speed, 'within `using` only', () => import('./subjects/redlock.js')),
  peer('@sesamecare-oss/redlock', speed, 'within `using` only', () => import('./subjects/redlock-fork.js')),
  peer('redis-semaphore', everything, 'every 4/5 of the lease', () => import('./subjects/redis-semaphore.js')),
  peer('@verrou/core', speed, 'none', () => import('./subjects/verrou.js')),
]

export function contendersIn(contest: Contest): LockContender[] {
  return contenders.filter(({ contests }) => contests.includes(contest))
}
