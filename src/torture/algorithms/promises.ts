/** Where ours promises less than one holder at a time: as the table of docs/LOCKS.md, “What holds under which fault”, has it. */
import type { FaultName } from '../faults.js'
import type { CacheHome } from '../homes.js'

type Sentences = Readonly<Partial<Record<FaultName, string>>>

/** The holder cannot look at its lease while it is stopped: nothing but a fence helps there. */
const stopped = ['pause', 'stall', 'heap', 'suspend'] as const satisfies readonly FaultName[]
/** memcached forgets what it is told to forget, and what it has no room for. */
export const forgetful = ['flush', 'evict'] as const satisfies readonly FaultName[]

/**
 * “fence” in the table, where the server gives away what it has granted: two may believe for a while. Who is stopped acts late, and may
 * think that it holds while nobody can ask it; but what it says is left of its lease is over in time, and that is counted.
 */
export const overlapsOf: Readonly<Record<CacheHome, readonly FaultName[]>> = {
  memcached: ['foreign', ...forgetful],
  latchkey: ['foreign'],
  embedded: ['foreign'],
}

const lateWrite =
  'a write that was about to leave, or on its way, when the lease ended comes late: only a fence refuses it'
const everywhere: Sentences = {
  ...Object.fromEntries(stopped.map((fault) => [fault, lateWrite])),
  foreign: 'who deletes or overwrites the record ends the lease: the holder hears of it at its next renewal',
}

export const exceededByLease: Readonly<Record<CacheHome, Sentences>> = {
  memcached: {
    ...everywhere,
    flush: 'flush_all ends every lease on memcached: the holder hears of it at its next renewal',
    evict: 'memcached without -M evicts locks like anything else: the holder hears of it at its next renewal',
  },
  latchkey: everywhere,
  embedded: everywhere,
}
