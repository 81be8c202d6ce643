/** Where nothing strikes, or strikes others only, a lock is kept for as long as its holder works: nobody hears of an error. */
import type { FaultName } from '../faults.js'
import type { History, Violation } from '../history.js'
import type { Plan } from '../plan.js'
import { quiet } from './quiet.js'
import { isStruck } from './struck.js'

/** What strikes one participant, and leaves the servers and everybody else alone. */
const ofOne: ReadonlySet<FaultName> = new Set([
  ...quiet,
  ...(['pause', 'stall', 'clock', 'suspend', 'crash', 'abort', 'lost-reply', 'delay', 'retry'] as const),
  ...(['blip', 'lists', 'partition'] as const),
])

export function lostLocks(plan: Plan, { updates }: History): Violation[] {
  if (!ofOne.has(plan.fault)) return []
  return updates
    .filter(({ outcome, who }) => outcome === 'failed' && !isStruck(who, plan))
    .map(({ to, who, id, why = 'it failed' }) => ({
      kind: 'lost lock',
      at: to,
      text: `nothing struck participant ${who}, and it could not do ${id}: ${why}`,
      who: [who],
    }))
}
