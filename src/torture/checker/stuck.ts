/** L1 and L2: the lock becomes free, and who waits for it gets it, or an answer. Said only where nothing else can be the reason. */
import type { History, Update, Violation } from '../history.js'
import type { Incident, Plan } from '../plan.js'
import { livesOf } from './records.js'
import { serversWork } from './struck.js'

/** memcached may keep a lease a little longer, and who polls does not look all the time. */
const GRANULARITY_MS = 1000
const SLACK_MS = 1000
/** Deadlines, and asking again after them: for each request that brought no answer, and for a round in which all goes well. */
const ANSWER_MS = 2000
const ROUND_MS = 5000
/** A poll takes longer than the pause before it, by what its requests take. */
const POLLING = 3

/** Losses in a row: to ask once more and to clean up take one each, and then there is time left of the lease. */
const MOST_LOSSES = 2

export function stuck(plan: Plan, history: History): Violation[] {
  return [...hangs(plan, history), ...refusals(plan, history), ...orphans(plan, history)]
}

/** A round that took longer than all that it may wait for. */
function hangs(plan: Plan, { updates }: History): Violation[] {
  const longestMs = Math.max(0, ...plan.rounds.flat().map(({ workMs }) => workMs))
  const struckMs = plan.incidents.reduce((sum, incident) => sum + outageMs(incident), 0)
  const boundMs = POLLING * plan.waitMs + longestMs + 2 * plan.ttlMs + struckMs + ROUND_MS
  return updates
    .filter(({ who, from, to }) => to - from > boundMs && !isKilled(who, plan))
    .map(({ who, id, from, to }) =>
      violation(to, `participant ${who} was busy with ${id} for ${Math.round(to - from)} ms`, [who]),
    )
}

/** Somebody waited for longer than any lease can last that was taken before, and nobody had the lock in that time. */
function refusals(plan: Plan, { updates, beliefs }: History): Violation[] {
  if (!serversWork.has(plan.fault)) return []
  const boundMs = plan.ttlMs + GRANULARITY_MS + SLACK_MS
  // Who is killed while it asks leaves a lease of which it never knew.
  const kills = plan.incidents.filter(({ what }) => what === 'crash')
  const freeMs = ({ from, to }: Update) => {
    const ends = beliefs.filter((span) => span.from < to).map((span) => Math.min(span.to, to))
    return to - Math.max(from, ...ends, ...kills.filter(({ at }) => at < to).map(({ at }) => at))
  }
  return updates
    .filter((update) => update.outcome === 'busy' && freeMs(update) > boundMs)
    .map((update) =>
      violation(update.to, `nobody had the lock for ${Math.round(freeMs(update))} ms, and it was busy`, [update.who]),
    )
}

/**
 * A record whose writer heard that a reply was lost, and never that it was to its own `add`, or never cared: there until its time was
 * over. Who hears nothing for as long as the lease lasts could not have done anything, and nor could those who ask again in vain.
 */
function orphans(plan: Plan, { deeds, beliefs }: History): Violation[] {
  return livesOf(deeds)
    .filter(({ writer, end }) => hearsOfLosses(writer, plan) && (end?.what === 'expire' || end?.what === 'add'))
    .filter(({ writer, from, to }) => !beliefs.some((span) => span.who === writer && span.from < to && span.to > from))
    .map(({ writer, from, to }) =>
      violation(
        from,
        `participant ${writer} took the lock and never knew: it was nobody’s for ${Math.round(to - from)} ms`,
        [writer!],
      ),
    )
}

function hearsOfLosses(who: number | undefined, { fault, incidents }: Plan): boolean {
  if (who === undefined || (fault !== 'lost-reply' && fault !== 'retry')) return false
  const losses = incidents.filter((incident) => incident.what === 'lose' && incident.who === who)
  return losses.length <= MOST_LOSSES && losses.every((incident) => incident.what === 'lose' && incident.cut)
}

function outageMs(incident: Incident): number {
  const { what } = incident
  if (what === 'lose') return ANSWER_MS
  if (what === 'restart') return incident.downMs + ANSWER_MS
  return 'ms' in incident ? incident.ms + ANSWER_MS : 0
}

function isKilled(who: number, { incidents }: Plan): boolean {
  return incidents.some((incident) => incident.what === 'crash' && incident.who === who)
}

function violation(at: number, text: string, who: readonly number[]): Violation {
  return { kind: 'stuck', at, text, who }
}
