/** Every algorithm under every fault, many times, and who broke what. */
import type { Algorithm } from './algorithm.js'
import { type Crew, crewOf, type Rules } from './campaign/crew.js'
import { runPart } from './campaign/part.js'
import type { AlgorithmCard, Part, Result, Run } from './campaign/result.js'
import { tallyOf } from './campaign/tally.js'
import { threadedCrew } from './campaign/threads.js'
import { check } from './checker/index.js'
import type { FaultName } from './faults.js'
import type { Laboratory } from './laboratory.js'
import { planOf } from './planning.js'

export interface CampaignOptions {
  /** Used one after the other, so that a busy simulation does not disturb real time. They stay open. */
  readonly laboratories: readonly Laboratory[]
  readonly algorithms: readonly Algorithm[]
  readonly faults: readonly FaultName[]
  /** Runs of each cell; with `minutes`, of each cell a round. */
  readonly seeds: number | ((laboratory: Laboratory) => number)
  /** Default 1. */
  readonly firstSeed?: number
  /** Goes on with new seeds until this time is over, which the laboratories share equally. Default: one round. */
  readonly minutes?: number | undefined
  /** Ends it; what was found until then is the result. Runs that are under way are left out of it. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /**
   * Threads that do the runs of the simulation, which finds the same; default: this thread does them. Their script is the simulation of
   * the catalogue's algorithms, unless another one is given.
   */
  readonly threads?: { readonly count: number; readonly script?: URL } | undefined
}

export interface Progress {
  readonly laboratory: Laboratory['name']
  /** From 0 to 1, over all laboratories. */
  readonly done: number
  readonly runs: number
  readonly bad: number
  readonly errors: number
}

/** Never rejects for a run that failed: that is told in its cell. */
export async function campaign(options: CampaignOptions, rules: Rules = { planOf, check }): Promise<Result> {
  const startedAt = performance.now()
  const parts: Part[] = []
  for (const laboratory of options.laboratories) {
    const crew = crewFor(laboratory, options, rules)
    try {
      parts.push(await runPart(laboratory, crew, options, parts.length))
    } finally {
      await crew.close()
    }
  }
  const aborted = options.signal?.aborted === true
  const { faults } = options
  const algorithms = options.algorithms.map(cardOf)
  return { algorithms, faults, parts, tookMs: Math.round(performance.now() - startedAt), aborted }
}

function crewFor(laboratory: Laboratory, { threads }: CampaignOptions, rules: Rules): Crew {
  if (threads === undefined || laboratory.name !== 'simulation') return crewOf(laboratory, rules)
  const { count, script = new URL('./campaign/worker.js', import.meta.url) } = threads
  return threadedCrew(count, script)
}

function cardOf({ name, row, what, story, exceeded }: Algorithm): AlgorithmCard {
  return { name, row, what, story, exceeded }
}

/** Of one run alone, as a campaign that had nothing else would have it. */
export function resultOf({ name: laboratory }: Laboratory, algorithm: Algorithm, run: Run): Result {
  const { fault } = run.plan
  const { worst, ...figures } = tallyOf(run)
  const cells = [{ algorithm: algorithm.name, fault, ...figures }]
  const parts = [{ laboratory, cells, worst: worst === undefined ? [] : [worst] }]
  return { algorithms: [cardOf(algorithm)], faults: [fault], parts, tookMs: 0, aborted: false }
}
