/** The profile page: the set itself is in the cache, as one value that many change. There is no lock. */
import type { Algorithm, Hands } from '../algorithm.js'
import type { FaultName } from '../faults.js'

const KEY = 'profile'
/** A cache may forget a profile whenever it likes: what that does is no news. And there is no lease that could end. */
const meaningless: readonly FaultName[] = [
  ...(['restart', 'flush', 'evict', 'full', 'foreign'] as const),
  ...(['overrun', 'boundary', 'server-clock'] as const),
]
const TRIES = 3

const linesOf = (profile: string | undefined) => profile?.split('\n') ?? []
const added = (profile: string | undefined, line: string) => [...linesOf(profile), line].join('\n')

async function readBack({ cache }: Hands): Promise<readonly string[]> {
  return linesOf(await cache.get(KEY))
}

/** Who sets last has not seen what the other has set. */
export const readModifySet: Algorithm = {
  name: 'read-modify-set',
  row: 6,
  what: 'the profile page: reads a value, changes it, sets it, without compare-and-swap',
  story: 'none',
  home: 'memcached',
  counts: ['lost update'],
  without: meaningless,
  readBack,
  async change({ cache }, { id, work }) {
    const profile = await cache.get(KEY)
    await work()
    await cache.set(KEY, added(profile, id), 0)
    return 'done'
  },
}

/** The repair: so and so many tries, one right after the other, and then not a word about it. */
export const casTries: Algorithm = {
  name: 'cas-three-tries',
  row: 7,
  what: 'the same with compare-and-swap, three tries and no pause between them; that it gave up it does not tell',
  story: 'none',
  home: 'memcached',
  counts: ['lost update'],
  without: meaningless,
  readBack,
  async change({ cache }, { id, work }) {
    for (let tries = 0; tries < TRIES; tries++) {
      const profile = await cache.gets(KEY)
      await work()
      const stored =
        profile === undefined
          ? await cache.add(KEY, added(undefined, id), 0)
          : await cache.cas(KEY, added(profile.value, id), profile.cas, 0)
      if (stored) break
    }
    return 'done'
  },
}
