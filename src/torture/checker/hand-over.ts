/** L2: a lock that is free is had by who waits for it, at once or at the next poll. Of watched servers only: real machines have other work. */
import type { Algorithm } from '../algorithm.js'
import type { History, Update, Violation } from '../history.js'
import type { Plan } from '../plan.js'
import { livesOf } from './records.js'
import { isStruck, serversWork } from './struck.js'

/** There and back over the slowest wire of the simulation, and a little. */
const ROUND_TRIP_MS = 90
/** The longest pause of who polls. */
const POLL_MS = 250
/** The poll that just missed it, the pause, and what it takes to have it: the add, the fence, the record. */
const POLLED_MS = POLL_MS + 5 * ROUND_TRIP_MS
/** By then, who waits has connected and asked, and stands in the queue where there is one. */
const WAITING_MS = 1500

/** Whoever had it before: it was given back, or its time was over since its holder died. */
export function handOver(plan: Plan, { home, row }: Algorithm, history: History): Violation[] {
  if (!serversWork.has(plan.fault) || row !== undefined) return []
  const boundMs = home === 'memcached' ? POLLED_MS : ROUND_TRIP_MS
  const waits = history.updates.filter(({ who }) => !isStruck(who, plan)).map((update) => waitOf(update, history))
  const lives = livesOf(history.deeds)
  return lives.flatMap(({ to: freedAt }, i) => {
    const takenAt = lives[i + 1]?.from ?? Number.POSITIVE_INFINITY
    const waited = waits.find(
      ({ from, to }) => from <= freedAt - WAITING_MS && Math.min(to, takenAt) > freedAt + boundMs,
    )
    if (waited === undefined) return []
    const { who } = waited
    const text = `it was free for more than ${boundMs} ms while participant ${who} waited for it`
    return [{ kind: 'stuck', at: freedAt, text, who: [who] } satisfies Violation]
  })
}

/** Until it had the lock, or an answer. */
function waitOf({ who, from, to }: Update, { beliefs }: History) {
  const belief = beliefs.find((span) => span.who === who && from <= span.from && span.from <= to)
  return { who, from, to: belief?.from ?? to }
}
