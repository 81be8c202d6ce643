/** The change under a lock of ours, wherever that is. */
import { type Guarantee, type Lock, LockBusyError, LockWaitTimeoutError } from '../../locks/index.js'
import type { Algorithm, Hands, Task } from '../algorithm.js'
import type { ViolationKind } from '../history.js'

/** With a fence, and without. */
export const alwaysCounts: readonly ViolationKind[] = [
  ...(['overlap', 'lost update', 'ownership', 'left over', 'stuck', 'lost lock'] as const),
]

type Where = Pick<Algorithm, 'home' | 'servers' | 'quorum' | 'strangers' | 'mayOverlap' | 'without'>

/** `what`: the lock is on. */
export function fencedLock(place: string, what: string, where: Where): Algorithm {
  return {
    name: `${place}-fenced`,
    what: `Latchkey’s lock on ${what}; the resource refuses what comes with an old fence`,
    ...where,
    counts: [...alwaysCounts, 'fence order'],
    change: (hands, task) =>
      underLock('fenced', hands, task, async ({ fence }) => {
        // Given to the read, too: from then on nobody with an older one can write in between.
        const ids = await hands.resource.read(fence)
        await task.work()
        await hands.resource.write([...ids, task.id], fence)
      }),
  }
}

export async function underLock(
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
