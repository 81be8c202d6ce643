/** Where nothing strikes, a lock is kept for as long as its holder works: nobody hears of an error. */
import type { History, Violation } from '../history.js'
import type { Plan } from '../plan.js'
import { quiet } from './quiet.js'

export function lostLocks({ fault }: Plan, { updates }: History): Violation[] {
  if (!quiet.has(fault)) return []
  return updates
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ to, who, id, why = 'it failed' }) => ({
      kind: 'lost lock',
      at: to,
      text: `nothing struck, and participant ${who} could not do ${id}: ${why}`,
      who: [who],
    }))
}
