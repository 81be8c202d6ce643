import { createLocks, type Guarantee, type Lock, type LockDriver, memcached, store } from 'latchkey/locks'
import { Store } from 'latchkey/store'
import { type LockSubject, type OpenLockSubject, patienceMs, type Target } from './subject.js'

/** Ours, with this guarantee; renewed by a timer after a third of the lease. */
export function latchkeyWith(guarantee: Guarantee): OpenLockSubject {
  return async (target, { ttlMs }): Promise<LockSubject<Lock>> => {
    const locks = createLocks(driverAt(target), { guarantee, ttl: ttlMs })
    // Opens the connection.
    await locks.inspect('opening')
    return {
      acquire: (name) => locks.acquire(name, { wait: patienceMs }),
      release: (lock) => released(lock),
      holds: (lock) => lock.state === 'held',
      close: () => locks.close(),
    }
  }
}

async function released(lock: Lock): Promise<void> {
  const outcome = await lock.release()
  if (outcome !== 'released') throw new Error(`${lock.name} was ${outcome} when it was to be released`)
}

function driverAt({ port, handle }: Target): LockDriver {
  // The servers are new, and nobody has locked anything there before.
  if (port !== undefined) return memcached({ servers: `127.0.0.1:${port}`, freshServers: 'trust' })
  return store(handle === undefined ? new Store({ memory: '64mb' }) : Store.attach(handle))
}
