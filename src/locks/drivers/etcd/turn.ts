/**
 * Waiting for one's turn. Each looks at the one before it only, so that the end of one wakes one; and looks again now and then, since
 * the one before may have left from the middle, and a watch may have gone silent. Its own place has a lease that is kept alive.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Call, Claim } from '../../driver.js'
import { LockUnavailableError } from '../../errors.js'
import type { EtcdApi } from './api.js'
import type { TxnReply } from './messages.js'
import { lastBefore, theOne } from './places.js'

/** A third of the least life that etcd grants. */
const LEAST_TICK_MS = 500
/** A cluster that does not answer, or does not tell of the end of the one before, is asked again after so long. */
const AGAIN_MS = 100

export interface Place {
  readonly place: string
  /** The revision that created it. */
  readonly revision: bigint
  readonly lease: bigint
}

/** True when it is the first; false when `until` has come. Throws the signal's reason, and LockUnavailableError when it is lost. */
export async function waitTurn(api: EtcdApi, claim: Claim, own: Place, until: number, call: Call): Promise<boolean> {
  const { clock, signal } = call
  const tickMs = Math.max(LEAST_TICK_MS, claim.ttlMs / 3)
  let keptAt = clock.now()
  for (;;) {
    const seen = await look(api, claim, own, call)
    signal?.throwIfAborted()
    if (seen !== undefined && seen.before === undefined) return true
    const leftMs = until - clock.now()
    if (leftMs <= 0) return false
    const hasGone =
      seen?.before && (await api.untilDeleted(seen.before, seen.revision, Math.min(leftMs, tickMs), signal))
    if (!hasGone) await sleep(Math.min(leftMs, AGAIN_MS), undefined, { signal }).catch(() => {})
    signal?.throwIfAborted()
    if (clock.now() - keptAt < tickMs) continue
    keptAt = clock.now()
    await api.keepAlive(own.lease, claim.name, call).catch(() => {})
  }
}

interface Seen {
  readonly before: string | undefined
  readonly revision: bigint
}

/** undefined when nobody answered. */
async function look(api: EtcdApi, { key, name }: Claim, own: Place, call: Call): Promise<Seen | undefined> {
  let reply: TxnReply
  try {
    reply = await api.read([theOne(own.place), lastBefore(key, own.revision)], name, call)
  } catch (error) {
    if (error instanceof LockUnavailableError) return undefined
    throw error
  }
  const [mine, others] = reply.ranges
  if (mine?.count === 0) throw new LockUnavailableError(name, 'its place in the queue was lost')
  return { before: others?.kvs[0]?.key, revision: reply.revision }
}
