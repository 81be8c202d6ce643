/** Runs with one small algorithm of a test's own. */

import type { Algorithm, Hands, Task } from '#dist/torture/algorithm.js'
import type { History } from '#dist/torture/history.js'
import type { Plan } from '#dist/torture/plan.js'
import { simulation } from '#dist/torture/simulation/index.js'

export type Change = (hands: Hands, task: Task) => Promise<unknown>

export interface Observation extends Partial<Omit<Plan, 'algorithm'>> {
  readonly algorithm?: Partial<Algorithm>
}

/** One participant makes one round at once, unless told otherwise. */
export async function observe(change: Change, options: Observation = {}): Promise<History> {
  const { algorithm, ...plan } = options
  const observed: Algorithm = {
    name: 'observed',
    row: 0,
    what: 'what a test wants to see',
    home: 'memcached',
    async change(hands, task) {
      return (await change(hands, task)) === 'busy' ? 'busy' : 'done'
    },
    ...algorithm,
  }
  return simulation(() => observed).run(planned(plan))
}

function planned(plan: Partial<Plan>): Plan {
  return {
    seed: 1,
    algorithm: 'observed',
    fault: 'none',
    ttlMs: 3000,
    waitMs: 1000,
    rounds: [[{ afterMs: 0, workMs: 0 }]],
    incidents: [],
    lengthMs: 60_000,
    ...plan,
  }
}

/** So many participants, each with one round at once. */
export function roundsOf(participants: number, afterMs = 0): Plan['rounds'] {
  return Array.from({ length: participants }, () => [{ afterMs, workMs: 0 }])
}
