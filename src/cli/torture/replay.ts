/** One run again: its schedule, what it broke, and the shortest schedule that still breaks it. */
import { readFileSync } from 'node:fs'
import {
  algorithmNamed,
  catalogue,
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
  return inLaboratories(flags, ([laboratory]) => playIn(laboratory, found.plan, flags), isReal ? 'real' : 'simulated')
}

function find(which: string, { algorithm }: TortureFlags): Replayable {
  const [, name, fault, seed] = /^([a-z0-9-]+)\/([a-z-]+)\/(\d+)$/.exec(which) ?? []
  if (name !== undefined && isFaultName(fault) && catalogue.some((each) => each.name === name)) {
    return { laboratory: undefined, plan: planOf(algorithmNamed(name), fault, Number(seed)) }
  }
  const names = algorithm?.map((each) => each.name)
  const all = plansIn(readFileSync(which, 'utf8'))
  const chosen = all.filter(({ plan }) => names === undefined || names.includes(plan.algorithm))
  if (chosen.length === 0) throw new Error('it has no such run')
  if (chosen.length === 1) return chosen[0]
  throw new Error(
    `it has several runs; choose one with --algorithm: ${chosen.map(({ plan }) => plan.algorithm).join(', ')}`,
  )
}

async function playIn(laboratory: Laboratory, plan: Plan, flags: TortureFlags): Promise<number> {
  const refused = laboratory.refuses(algorithmNamed(plan.algorithm), plan.fault)
  if (refused !== undefined) {
    say(`${runName(plan)} cannot be had there: ${refused}`)
    return exitCodes.usage
  }
  const first = await play(laboratory, plan)
  const run = flags.shrink && first.violations.length > 0 ? await shortest(laboratory, first) : first
  const texts = run === first ? runText(first) : `${runText(first)}\nThe shortest that still fails:\n\n${runText(run)}`
  const result = resultOf(laboratory, algorithmNamed(plan.algorithm), run)
  writeResults(
    flags,
    () => `${JSON.stringify(run)}\n`,
    () => toHtml(result),
    texts,
  )
  return exitCodeOf(result)
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
