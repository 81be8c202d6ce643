/** What a run broke, of what its algorithm answers for. Says nothing that did not happen. */
import type { Algorithm } from '../algorithm.js'
import type { History, Violation, ViolationKind } from '../history.js'
import type { Plan } from '../plan.js'
import { fenceOrder } from './fence-order.js'
import { handOver } from './hand-over.js'
import { leftOver } from './left-over.js'
import { lostLocks } from './lost-locks.js'
import { lostUpdates } from './lost-updates.js'
import { mutexOrder } from './mutex-history.js'
import { outlived } from './outlived.js'
import { overlaps } from './overlaps.js'
import { ownership } from './ownership.js'
import { quiet } from './quiet.js'
import { notRecovered } from './recovered.js'
import { stuck } from './stuck.js'

export interface CheckOptions {
  /** What two clocks of the history may differ by. Default 0. */
  readonly toleranceMs?: number
}

const usual: readonly ViolationKind[] = ['overlap', 'lost update']

/** In the order in which they happened. */
export function check(
  plan: Plan,
  algorithm: Algorithm,
  history: History,
  { toleranceMs = 0 }: CheckOptions = {},
): Violation[] {
  // A deed is one server's: what is said of records means a lock that has one.
  const seen = algorithm.quorum ? { ...history, deeds: [] } : history
  const { counts = usual, mayOverlap = [], habits } = algorithm
  const { beliefs, updates, final, deeds } = seen
  const exclusive = !mayOverlap.includes(plan.fault)
  const faultless = plan.fault === 'none' && habits?.errors !== 'as a miss'
  const together = exclusive ? overlaps(beliefs, toleranceMs) : []
  const found = [
    ...together,
    // The search finds overlaps, too: to say it once is enough.
    ...(exclusive && together.length === 0 ? mutexOrder(seen, { faultless, toleranceMs }) : []),
    ...fenceOrder({ beliefs, updates, exclusive }),
    ...ownership(deeds, beliefs),
    ...(quiet.has(plan.fault) ? leftOver(deeds, updates) : []),
    ...lostUpdates(updates, final),
    ...stuck(plan, seen),
    ...outlived(plan, algorithm, seen),
    ...notRecovered(plan, algorithm, seen),
    ...handOver(plan, algorithm, seen),
    ...lostLocks(plan, algorithm, seen),
  ]
  return found.filter(({ kind }) => counts.includes(kind)).sort((one, other) => one.at - other.at)
}
