/** Who was left alone by what struck. */
import type { FaultName } from '../faults.js'
import type { Plan } from '../plan.js'

/** Servers answer all the time, and forget nothing: a free lock can be had. */
export const serversWork: ReadonlySet<FaultName> = new Set(['none', 'overrun', 'crash', 'abort'])

export function isStruck(who: number, { incidents }: Plan): boolean {
  return incidents.some((incident) => 'who' in incident && incident.who === who)
}
