/** Where nothing strikes, or strikes others only, a lock is kept for as long as its holder works: nobody hears of an error. */
import type { Algorithm } from '../algorithm.js'
import type { FaultName } from '../faults.js'
import type { History, Violation } from '../history.js'
import { isEngine } from '../homes.js'
import type { Plan } from '../plan.js'
import { quiet } from './quiet.js'
import { isStruck } from './struck.js'

/** What strikes one participant, and leaves the servers and everybody else alone. */
const ofOne: ReadonlySet<FaultName> = new Set([
  ...quiet,
  ...(['pause', 'stall', 'clock', 'suspend', 'crash', 'abort', 'lost-reply', 'delay', 'retry'] as const),
  ...(['blip', 'lists', 'partition'] as const),
])

export function lostLocks(plan: Plan, algorithm: Algorithm, { updates }: History): Violation[] {
  if (!ofOne.has(plan.fault) && !isOfMinority(plan, algorithm)) return []
  return updates
    .filter(({ outcome, who }) => outcome === 'failed' && !isStruck(who, plan))
    .map(({ to, who, id, why = 'it failed' }) => ({
      kind: 'lost lock',
      at: to,
      text: `nothing struck participant ${who}, and it could not do ${id}: ${why}`,
      who: [who],
    }))
}

/** One server of three and no other: a majority is well. Not of engines, where whoever was asking that one may hear of it. */
function isOfMinority({ fault, incidents }: Plan, { quorum, home }: Algorithm): boolean {
  if (!quorum || isEngine(home) || !(fault === 'server-pause' || fault === 'restart')) return false
  return new Set(incidents.map((incident) => 'server' in incident && incident.server)).size === 1
}
