/** Ours: the same change under a Latchkey lock, with a fence or with nothing but its lease, on each home. */

import { type Guarantee, type Lock, LockBusyError, LockWaitTimeoutError } from '../../locks/index.js'
import type { Algorithm, Hands, Task } from '../algorithm.js'
import type { FaultName } from '../faults.js'
import { exceededByLease, overlapsOf } from './promises.js'

type Home = Algorithm['home']

/** What a write to the resource may take: whoever has less left of the lease does not begin it. */
const WRITE_MS = 100

/** There is no wire, and no server that could fail apart from its users. */
const withoutWire: readonly FaultName[] = [
  ...(['lost-reply', 'delay', 'retry', 'blip', 'lists', 'partition'] as const),
  ...(['server-pause', 'server-clock', 'restart'] as const),
]

const homes: Readonly<Record<Home, { what: string; servers: number; without: readonly FaultName[] }>> = {
  // Three servers, each key on one of them: the ring is what blips and lists are aimed at. Our client sends nothing twice.
  memcached: { what: 'memcached', servers: 3, without: ['retry'] },
  latchkey: { what: 'a Latchkey server', servers: 1, without: ['retry', 'lists'] },
  embedded: { what: 'the embedded store', servers: 1, without: withoutWire },
}

const fenced = (home: Home): Algorithm => ({
  name: `${home}-fenced`,
  what: `Latchkey’s lock on ${homes[home].what}; the resource refuses what comes with an old fence`,
  home,
  servers: homes[home].servers,
  counts: ['overlap', 'lost update', 'fence order', 'ownership', 'left over', 'stuck', 'lost lock'],
  mayOverlap: overlapsOf[home],
  without: homes[home].without,
  change: (hands, task) =>
    underLock('fenced', hands, task, async ({ fence }) => {
      // Given to the read, too: from then on nobody with an older one can write in between.
      const ids = await hands.resource.read(fence)
      await task.work()
      await hands.resource.write([...ids, task.id], fence)
    }),
})

const lease = (home: Home): Algorithm => ({
  name: `${home}-lease`,
  what: `Latchkey’s lock on ${homes[home].what}, without a fence: its holder looks at the lease before it writes`,
  home,
  servers: homes[home].servers,
  exceeded: exceededByLease[home],
  without: homes[home].without,
  change: (hands, task) =>
    underLock('lease', hands, task, async (lock) => {
      const ids = await hands.resource.read()
      await task.work()
      lock.assertHeld(WRITE_MS)
      await hands.resource.write([...ids, task.id])
    }),
})

async function underLock(
  guarantee: Guarantee,
  hands: Hands,
  task: Task,
  body: (lock: Lock) => Promise<void>,
): Promise<'done' | 'busy'> {
  const { name, ttlMs, waitMs, signal } = task
  const acquiring = hands.locks.acquire(name, { ttl: ttlMs, wait: waitMs, signal, guarantee })
  const lock = await acquiring.catch(busyOrThrow)
  if (lock === undefined) return 'busy'
  const belief = hands.believes({
    owner: lock.owner,
    fence: guarantee === 'fenced' ? lock.fence : undefined,
    remainingMs: () => lock.remainingMs(),
  })
  try {
    await body(lock)
    return 'done'
  } finally {
    belief.end()
    await lock.release()
  }
}

function busyOrThrow(error: unknown): undefined {
  if (!(error instanceof LockBusyError || error instanceof LockWaitTimeoutError)) throw error
}

export const ours: readonly Algorithm[] = (['latchkey', 'memcached', 'embedded'] as const).flatMap((home) => [
  fenced(home),
  lease(home),
])
