/** L2: when all that struck is long over, a lock can be had again. */
import type { Algorithm } from '../algorithm.js'
import type { History, Violation } from '../history.js'
import type { Plan } from '../plan.js'

/** Deadlines, connections that are given up, and pauses before the next try. */
const RECOVERY_MS = 8000
/** After a restart Latchkey waits for the leases of before, and for so much more: docs/LOCKS.md has it. */
const GRACE_MS = 12_000

export function notRecovered(plan: Plan, algorithm: Algorithm, history: History): Violation[] {
  const since = recoveredAt(plan, algorithm, history)
  return history.updates
    .filter(({ from, outcome }) => outcome === 'failed' && from > since)
    .map(({ who, id, to, why = 'it failed' }) => ({
      kind: 'stuck',
      at: to,
      text: `long after all was well again, participant ${who} could not do ${id}: ${why}`,
      who: [who],
    }))
}

/** Of the leases that a restart has to wait for, all are from before the first: in the grace after it none is given. */
function recoveredAt({ fault, ttlMs }: Plan, { home }: Algorithm, { marks }: History): number {
  const over = Math.max(0, ...marks.map(({ at, ms = 0 }) => at + ms)) + RECOVERY_MS
  if (fault !== 'restart') return over
  const first = Math.min(...marks.map(({ at }) => at))
  return Math.max(over, first + ttlMs + (home === 'latchkey' ? GRACE_MS : RECOVERY_MS))
}
