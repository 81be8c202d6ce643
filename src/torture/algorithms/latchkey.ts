/** Ours: the same change under a Latchkey lock, with a fence or with nothing but its lease, on each home. */
import type { Algorithm } from '../algorithm.js'
import type { FaultName } from '../faults.js'
import type { CacheHome } from '../homes.js'
import { exceededByLease, overlapsOf } from './promises.js'
import { alwaysCounts, fencedLock, underLock } from './under-lock.js'

/** What a write to the resource may take: whoever has less left of the lease does not begin it. */
const WRITE_MS = 100

/** There is no wire, and no server that could fail apart from its users. */
const withoutWire: readonly FaultName[] = [
  ...(['lost-reply', 'delay', 'retry', 'blip', 'lists', 'partition'] as const),
  ...(['server-pause', 'server-clock', 'restart'] as const),
]

const homes: Readonly<Record<CacheHome, { what: string; servers: number; without: readonly FaultName[] }>> = {
  // Three servers, each key on one of them: the ring is what blips and lists are aimed at. Our client sends nothing twice.
  memcached: { what: 'memcached', servers: 3, without: ['retry'] },
  latchkey: { what: 'a Latchkey server', servers: 1, without: ['retry', 'lists'] },
  embedded: { what: 'the embedded store', servers: 1, without: withoutWire },
}

const fenced = (home: CacheHome): Algorithm =>
  fencedLock(home, homes[home].what, {
    home,
    servers: homes[home].servers,
    mayOverlap: overlapsOf[home],
    without: homes[home].without,
  })

const lease = (home: CacheHome): Algorithm => ({
  name: `${home}-lease`,
  what: `Latchkey’s lock on ${homes[home].what}, without a fence: its holder looks at the lease before it writes`,
  home,
  servers: homes[home].servers,
  counts: alwaysCounts,
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

export const ours: readonly Algorithm[] = (['latchkey', 'memcached', 'embedded'] as const).flatMap((home) => [
  fenced(home),
  lease(home),
])
