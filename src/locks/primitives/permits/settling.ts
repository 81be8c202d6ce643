/** What was held on the way becomes locks: all of it, or nothing. */
import type { Held } from '../../belief.js'
import type { LeaseKeeper } from '../../lease-keeper.js'
import type { Lock } from '../../lock.js'
import type { Wanted } from '../../settings.js'
import { asking } from '../../trace.js'
import type { Ground, Terms } from '../ground.js'
import type { PermitRequest } from './request.js'

/** Throws LockLostError when one of them is lost, LockUnavailableError, and the signal's reason; then none is left. */
export async function settle(
  ground: Ground,
  request: PermitRequest,
  keepers: readonly LeaseKeeper[],
  termsOf: (at: number) => Terms,
): Promise<Lock[]> {
  const results = await Promise.allSettled(keepers.map((keeper, at) => handOver(keeper, termsOf(at).wanted)))
  const locks = results.flatMap((result, at) =>
    result.status === 'fulfilled' ? [keep(ground, request, result.value, termsOf(at), at === 0)] : [],
  )
  try {
    for (const result of results) if (result.status === 'rejected') throw result.reason
    request.signal.throwIfAborted()
    // By the clock, and after the last of them: from here on all are held at once.
    for (const [at, lock] of locks.entries()) lock.assertHeld(termsOf(at).wanted.minRemainingMs)
    return locks
  } catch (error) {
    await Promise.all([...locks, ...keepers].map((each) => each.release()))
    throw error
  }
}

/** Each has an acquisition of its own that can be followed, and the first one that which was asked for. */
function keep({ site, keep }: Ground, { asked }: PermitRequest, held: Held, terms: Terms, isFirst: boolean): Lock {
  return keep(held, terms, isFirst ? asked : asking(site, held.lease.name, terms.wanted))
}

/** While others were waited for it may have grown old. Rejects with LockLostError and LockUnavailableError, and then still has it. */
export async function handOver(keeper: LeaseKeeper, { ttlMs, minRemainingMs }: Wanted): Promise<Held> {
  if (keeper.remainingMs() < minRemainingMs) await keeper.extend(ttlMs)
  return keeper.handOver()
}
