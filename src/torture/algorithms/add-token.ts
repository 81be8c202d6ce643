/**
 * The most careful recipe on `add`: a random value, an expiry, and a release that looks whether the value is still there. What it
 * builds on breaks all the same: the server forgets, the reply is lost, the lease is too short, or the holder sleeps through it.
 */
import type { Algorithm } from '../algorithm.js'
import { guardedBy, type MakeRecipe, randomToken, secondsOf } from './recipe.js'

export const POLL_MS = 50

export const addToken: MakeRecipe = (hands, task) => {
  const { cache } = hands
  const { name } = task
  const mine = randomToken(hands)
  return {
    ask: () => cache.add(name, mine, secondsOf(task)),
    async release() {
      if ((await cache.get(name)) === mine) await cache.delete(name)
    },
  }
}

/** An `add` that brought no answer is taken for one that was carried out. */
const presuming: MakeRecipe = (hands, task) => {
  const { ask, release } = addToken(hands, task)
  return { ask: () => ask().catch(() => true), release }
}

type Row = Required<Pick<Algorithm, 'name' | 'row' | 'what' | 'story'>> & Partial<Algorithm>

function row(of: Row): Algorithm {
  return { home: 'memcached', change: guardedBy(addToken, POLL_MS), ...of }
}

export const addTokenRows: readonly Algorithm[] = [
  row({
    name: 'add-token-restart',
    row: 8,
    what: 'add with a random value and an expiry, delete after a look at the value; memcached restarts within the lease',
    story: 'restart',
  }),
  row({
    name: 'add-token-evict',
    row: 9,
    what: 'the same; the cache is full, and the lock is evicted',
    story: 'evict',
  }),
  row({
    name: 'add-token-1s',
    row: 11,
    what: 'the same with a lease of 1 s, of which memcached keeps between 0 and 1',
    story: 'boundary',
    ttlMs: 1000,
  }),
  row({
    name: 'add-token-lost-reply',
    row: 12,
    what: 'the same on a client that tells a missing reply as a no: the lock is there, and nobody’s',
    story: 'lost-reply',
    habits: { errors: 'as a miss' },
    counts: ['overlap', 'lost update', 'stuck'],
  }),
  row({
    name: 'add-token-presume',
    row: 12,
    what: 'the same, where a missing reply is taken for a yes',
    story: 'lost-reply',
    change: guardedBy(presuming, POLL_MS),
  }),
  row({
    name: 'add-token-pause',
    row: 13,
    what: 'the same; the holder is stopped past its lease, and wakes up believing',
    story: 'pause',
  }),
]
