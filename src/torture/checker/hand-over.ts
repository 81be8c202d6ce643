/** L2: a lock that was given back is had by who waits for it, at once or at the next poll. Exact times only: real machines have other work. */
import type { Algorithm } from '../algorithm.js'
import type { BeliefSpan, History, Violation } from '../history.js'
import type { Plan } from '../plan.js'
import { quiet } from './quiet.js'

/** There and back over the slowest wire of the simulation, and a little. */
const ROUND_TRIP_MS = 90
/** The longest pause of who polls. */
const POLL_MS = 250
/** The poll that just missed it, the pause, and what it takes to have it: the add, the fence, the record. */
const POLLED_MS = POLL_MS + 5 * ROUND_TRIP_MS
/** By then, who waits has connected and asked, and stands in the queue where there is one. */
const WAITING_MS = 1500

export function handOver(plan: Plan, { home, row }: Algorithm, { beliefs, updates }: History): Violation[] {
  if (!quiet.has(plan.fault) || row !== undefined) return []
  const boundMs = home === 'memcached' ? POLLED_MS : ROUND_TRIP_MS
  const sinceOf = ({ who, from }: BeliefSpan) => updates.find((each) => each.who === who && each.to >= from)?.from
  return beliefs.slice(1).flatMap((span, i) => {
    const freedAt = beliefs[i].to
    const since = sinceOf(span)
    if (since === undefined || since > freedAt - WAITING_MS || span.from - freedAt <= boundMs) return []
    const text = `it was free for ${Math.round(span.from - freedAt)} ms while participant ${span.who} waited for it`
    return [{ kind: 'stuck', at: span.from, text, who: [span.who] } satisfies Violation]
  })
}
