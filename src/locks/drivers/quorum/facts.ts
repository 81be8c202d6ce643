/** What a quorum promises, from what its servers do. */
import type { Facts } from '../../driver.js'

/** `all`: of the servers that answered, at least a majority. */
export function quorumFacts(all: readonly Facts[], servers: number, needed: number): Facts {
  return {
    what: `a majority of ${servers}: ${all.map(({ what }) => what).join(', ')}`,
    evicts: evictsIn(all),
    // A minority may forget; each that has restarted has to know, or to be waited for, all the same.
    survivesRestart: all.every(({ survivesRestart }) => survivesRestart),
    granularityMs: Math.max(...all.map(({ granularityMs }) => granularityMs)),
    queues: false,
    remote: true,
    quorum: { servers, needed },
    notes: [
      `Up to ${servers - needed} of them may fail, at any one time, and a restarted one counts as failed until it has a vote again.`,
      'Fences come from the clocks of those who ask: they stay in order also when these differ, as long as the servers remember the fences that they were told of. They can go back only if a server has forgotten (restarted, flushed, evicting) and, besides, the clocks of those who ask are further apart than the two locks are in time.',
      ...new Set(all.flatMap(({ notes }) => notes)),
    ],
  }
}

/** A lock may have no more votes than a majority: to lose one of them is to lose it, and that server gives its vote away at once. */
function evictsIn(all: readonly Facts[]): boolean | undefined {
  if (all.some(({ evicts }) => evicts === true)) return true
  return all.some(({ evicts }) => evicts === undefined) ? undefined : false
}
