/** Looking for the first schedule under which a mutant breaks what the whole program keeps. */
import type { FaultName, Plan, Violation } from 'latchkey/torture'
import { contradiction } from './explained.js'
import type { Door, Mutant, Place } from './mutant.js'

export interface Prey {
  readonly algorithm: string
  readonly fault: FaultName
  readonly seed: number
  readonly violation: Violation
}

/** For each of some sixty faults that something is said of. */
export const SAID_SEEDS = 20

/** Seed by seed, and for each all places where the mutant may show. undefined: it came through `seeds` of them. */
export async function hunt(door: Door, { under }: Pick<Mutant, 'under'>, seeds: number): Promise<Prey | undefined> {
  if (under === 'what explain() says') return contradiction(door, Math.min(seeds, SAID_SEEDS))
  const laboratory = door.simulation()
  try {
    for (let seed = 1; seed <= seeds; seed++) {
      for (const place of under) {
        const [violation] = await violationsOf(door, laboratory, place, seed)
        if (violation !== undefined) return { ...place, seed, violation }
      }
    }
    return undefined
  } finally {
    await laboratory.close()
  }
}

async function violationsOf(
  door: Door,
  laboratory: ReturnType<Door['simulation']>,
  place: Place,
  seed: number,
): Promise<Violation[]> {
  const algorithm = door.algorithmNamed(place.algorithm)
  const plan: Plan = door.planOf(algorithm, place.fault, seed)
  return door.check(plan, algorithm, await laboratory.run(plan))
}
