/** Who does the runs: this thread with a laboratory, or worker threads with one each. */
import type { Algorithm } from '../algorithm.js'
import type { FaultName } from '../faults.js'
import type { History, Violation } from '../history.js'
import type { Laboratory } from '../laboratory.js'
import type { Plan } from '../plan.js'
import { failureOf, noRuns, sum, type Tally, tallyOf } from './tally.js'

/** Some runs of one cell. */
export interface Share {
  readonly algorithm: string
  readonly fault: FaultName
  readonly seeds: readonly number[]
}

/** How a run is planned and judged. */
export interface Rules {
  planOf(algorithm: Algorithm, fault: FaultName, seed: number): Plan
  check(plan: Plan, algorithm: Algorithm, history: History): readonly Violation[]
}

export interface Crew {
  /** How many shares it works off at the same time, and no more. */
  readonly atOnce: number
  /** Seeds in a share. */
  readonly shareOf: number
  /** Never rejects: what fails is in the tally. */
  workOff(share: Share, algorithm: Algorithm): Promise<Tally>
  close(): Promise<void>
}

/** The laboratory stays open. */
export function crewOf(laboratory: Laboratory, rules: Rules): Crew {
  return {
    atOnce: laboratory.atOnce,
    shareOf: 1,
    workOff: (share, algorithm) => workOff(share, algorithm, laboratory, rules),
    close: async () => {},
  }
}

/** One run after the other. */
export async function workOff(
  share: Share,
  algorithm: Algorithm,
  laboratory: Laboratory,
  rules: Rules,
): Promise<Tally> {
  let tally = noRuns
  for (const seed of share.seeds) tally = sum(tally, await oneRun(seed))
  return tally

  async function oneRun(seed: number): Promise<Tally> {
    try {
      const plan = rules.planOf(algorithm, share.fault, seed)
      const history = await laboratory.run(plan)
      return tallyOf({ plan, history, violations: rules.check(plan, algorithm, history) })
    } catch (error) {
      return failureOf({ seed, text: error instanceof Error ? error.message : String(error) })
    }
  }
}
