/** What a quorum promises, from what its servers do. */
import type { Facts } from '../../driver.js'

/** `all`: of the servers that answered, at least a majority. */
export function quorumFacts(all: readonly Facts[], servers: number, needed: number): Facts {
  return {
    what: `a majority of ${servers}: ${all.map(({ what }) => what).join(', ')}`,
    evicts: evictsIn(all, needed),
    // A minority may forget; each that has restarted has to know, or to be waited for, all the same.
    survivesRestart: all.every(({ survivesRestart }) => survivesRestart),
    granularityMs: Math.max(...all.map(({ granularityMs }) => granularityMs)),
    queues: false,
    remote: true,
    quorum: { servers, needed },
    notes: [
      `Up to ${servers - needed} of them may fail, at any one time, and a restarted one counts as failed until it has a vote again.`,
      'Fences come from the clocks of those who ask: they stay in order also when these differ. They could go back only if a majority lost its memory and the clocks were set back as well.',
      ...new Set(all.flatMap(({ notes }) => notes)),
    ],
  }
}

/** A lock is lost when a majority may evict it. */
function evictsIn(all: readonly Facts[], needed: number): boolean | undefined {
  if (all.filter(({ evicts }) => evicts === true).length >= needed) return true
  return all.filter(({ evicts }) => evicts !== false).length >= needed ? undefined : false
}
