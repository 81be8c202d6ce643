/** Django: a context manager that tells its body whether it has the lock. Who does not have it skips the work: nobody waits. */
import type { Algorithm, Hands, Task } from '../algorithm.js'
import type { Outcome } from '../history.js'
import { addToSet, secondsOf } from './recipe.js'

/** What stands at its end. */
type Exit = (hands: Hands, task: Task, acquired: boolean) => Promise<unknown>

const always: Exit = ({ cache }, { name }) => cache.delete(name)

const ifAcquired: Exit = async ({ cache }, { name }, acquired) => {
  if (acquired) await cache.delete(name)
}

const withLock =
  (exit: Exit): Algorithm['change'] =>
  async (hands, task) => {
    const acquired = await hands.cache.add(task.name, 'true', secondsOf(task))
    // Who does not have it believes nothing, and comes to the same end.
    const belief = acquired ? hands.believes() : undefined
    try {
      return await body(acquired, hands, task)
    } finally {
      belief?.end()
      await exit(hands, task, acquired)
    }
  }

async function body(acquired: boolean, hands: Hands, task: Task): Promise<Exclude<Outcome, 'cut'>> {
  if (!acquired) return 'busy'
  await addToSet(hands, task)
  return 'done'
}

export const alwaysRelease: Algorithm = {
  name: 'always-release',
  row: 4,
  what: 'Django: a context manager that releases at its end, also when it never acquired',
  story: 'none',
  home: 'memcached',
  change: withLock(always),
}

export const rehashing: Algorithm = {
  name: 'rehashing',
  row: 5,
  what: 'the same, repaired, on python-memcached, which sends keys of a server that it cannot reach to the next one',
  story: 'blip',
  home: 'memcached',
  servers: 3,
  habits: { errors: 'as a miss', dead: 'next server' },
  change: withLock(ifAcquired),
}
