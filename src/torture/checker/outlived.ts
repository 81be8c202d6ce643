/** L1: a record is there for as long as the lease that it was last given, whoever has died meanwhile, and not longer. */
import type { Algorithm } from '../algorithm.js'
import type { Deed, History, Violation } from '../history.js'
import type { Plan } from '../plan.js'

/** memcached’s seconds are whole: one is begun when the lease is given, and one more may be added to it. */
const GRANULARITY_MS = 2000
const SLACK_MS = 100

export function outlived({ fault, ttlMs }: Plan, { home }: Algorithm, { deeds, endedAt }: History): Violation[] {
  // Who is stopped takes nothing away.
  if (fault === 'server-pause') return []
  const boundMs = ttlMs + (home === 'memcached' ? GRANULARITY_MS : 0) + SLACK_MS
  return deeds.flatMap((given, i) => {
    const { at, by, what, key } = given
    if (by === undefined || (what !== 'add' && what !== 'change')) return []
    const next = deeds.slice(i + 1).find((each) => each.key === key)
    const lastedMs = (next?.at ?? endedAt) - at
    return lastedMs > boundMs ? [tooLong(given, by, lastedMs)] : []
  })
}

function tooLong({ at }: Deed, by: number, lastedMs: number): Violation {
  const text = `the lock of participant ${by} was there ${Math.round(lastedMs)} ms after it was last given a lease`
  return { kind: 'stuck', at, text, who: [by] }
}
