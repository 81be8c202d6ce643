/** One run again: its schedule, what it broke, and the shortest schedule that still breaks it. */
import { existsSync, readFileSync } from 'node:fs'
import {
  algorithmNamed,
  check,
  isFaultName,
  type Laboratory,
  type Plan,
  planOf,
  plansIn,
  type Replayable,
  type Run,
  resultOf,
  runName,
  scheduleLines,
  seconds,
  shrink,
  toHtml,
} from '../../torture/index.js'
import { exitCodes } from '../exit-codes.js'
import { say } from '../say.js'
import type { TortureFlags } from '../torture.js'
import { exitCodeOf, inLaboratories } from './run.js'
import { writeResults } from './write.js'

/** Resolves with the exit code, which is that of a campaign of this run alone. */
export async function replay(which: string, flags: TortureFlags): Promise<number> {
  let found: Replayable
  try {
    found = find(which, flags)
  } catch (error) {
    say(`${which}: ${(error as Error).message}`)
    return exitCodes.usage
  }
  const isReal = (flags.mode ?? (found.laboratory === 'processes' || flags.servers ? 'real' : 'simulated')) === 'real'
  if (isReal && flags.shrink) {
    say('--shrink tries hundreds of schedules, and only in virtual time does one always end the same way')
    return exitCodes.usage
  }
  if (flags.mode === 'both') {
    say('--replay is of one run: --mode simulated or real')
    return exitCodes.usage
  }
  return inLaboratories(flags, ([laboratory]) => playIn(laboratory, found.plan, flags), isReal ? 'real' : 'simulated')
}

function find(which: string, { algorithm, mode }: TortureFlags): Replayable {
  const [, name, fault, seed] = /^([a-z0-9-]+)\/([a-z-]+)\/(\d+)$/.exec(which) ?? []
  if (name !== undefined && !existsSync(which)) return named(name, fault, Number(seed))
  const names = algorithm?.map((each) => each.name)
  const all = plansIn(readFileSync(which, 'utf8'))
  const chosen = inMode(
    all.filter(({ plan }) => names === undefined || names.includes(plan.algorithm)),
    mode,
  )
  if (chosen.length === 0) throw new Error('it has no such run')
  const found = [...new Set(chosen.map(({ plan }) => plan.algorithm))]
  if (found.length > 1) throw new Error(`it has several runs; choose one with --algorithm: ${found.join(', ')}`)
  if (chosen.length > 1) throw new Error('it has several runs; choose one with --mode: simulated, real')
  algorithmNamed(found[0])
  return chosen[0]
}

/** @throws with what there is not. */
function named(name: string, fault: string, seed: number): Replayable {
  const algorithm = algorithmNamed(name)
  if (!isFaultName(fault)) throw new Error(`there is no fault ${fault}`)
  if (!Number.isSafeInteger(seed)) throw new Error('there is no such seed')
  return { laboratory: undefined, plan: planOf(algorithm, fault, seed) }
}

/** Where both laboratories have a run, the mode says which; a run of one can be played in the other. */
function inMode(runs: Replayable[], mode: TortureFlags['mode']): Replayable[] {
  const wanted = mode === 'real' ? 'processes' : 'simulation'
  const there = runs.filter(({ laboratory }) => laboratory === wanted)
  return mode !== undefined && there.length > 0 ? there : runs
}

async function playIn(laboratory: Laboratory, plan: Plan, flags: TortureFlags): Promise<number> {
  const refused = laboratory.refuses(algorithmNamed(plan.algorithm), plan.fault)
  if (refused !== undefined) {
    say(`${runName(plan)} cannot be had there: ${refused}`)
    return exitCodes.usage
  }
  let first: Run
  try {
    first = await play(laboratory, plan)
  } catch (error) {
    say(`${runName(plan)}: the laboratory failed: ${(error as Error).message}`)
    return exitCodes.laboratory
  }
  const run = flags.shrink && first.violations.length > 0 ? await shortest(laboratory, first) : first
  const texts = run === first ? runText(first) : `${runText(first)}\nThe shortest that still fails:\n\n${runText(run)}`
  const result = resultOf(laboratory, algorithmNamed(plan.algorithm), run)
  const written = writeResults(
    flags,
    () => `${JSON.stringify({ laboratory: laboratory.name, ...run })}\n`,
    () => toHtml(result),
    texts,
  )
  return exitCodeOf(result, written)
}

async function play(laboratory: Laboratory, plan: Plan): Promise<Run> {
  const history = await laboratory.run(plan)
  return { plan, history, violations: check(plan, algorithmNamed(plan.algorithm), history) }
}

/** It must break in a way in which the first one broke: another fault that is met on the way is another story. */
async function shortest(laboratory: Laboratory, { plan, violations }: Run): Promise<Run> {
  const kinds = new Set(violations.map(({ kind }) => kind))
  const isBad = async (smaller: Plan) => {
    const { violations } = await play(laboratory, smaller)
    return violations.some(({ kind }) => kinds.has(kind))
  }
  return play(laboratory, await shrink(plan, isBad))
}

function runText({ plan, violations }: Run): string {
  const lines = violations.map(({ kind, at, text }) => `  ${seconds(at).padStart(9)}  ${kind}: ${text}`)
  const told = lines.length === 0 ? ['No violation.'] : [`Violations: ${lines.length}`, ...lines]
  return `${[...scheduleLines(plan), '', ...told].join('\n')}\n`
}
