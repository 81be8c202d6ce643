/** All chosen algorithms under all chosen faults. */
import {
  brokenPromises,
  campaign,
  catalogue,
  type Laboratory,
  LaboratoryError,
  laboratoryFailures,
  type Result,
  tableText,
  toHtml,
  toJson,
} from '../../torture/index.js'
import { exitCodes } from '../exit-codes.js'
import { say } from '../say.js'
import type { TortureFlags } from '../torture.js'
import { faultsOf, modeOf, openLaboratories, untilStopped } from './laboratories.js'
import { noProgress, progressOn } from './progress.js'
import { writeResults } from './write.js'

const simulatedSeeds = 50
const realSeeds = 1

/** Resolves with the exit code. */
export async function tortureAll(flags: TortureFlags): Promise<number> {
  return inLaboratories(flags, async (laboratories) => {
    if (flags.servers !== undefined) say(`only faults that do nothing to ${flags.servers.join(', ')}`)
    const result = await runIn(laboratories, flags)
    if (!result.parts.some(({ cells }) => cells.some(({ refused }) => refused === undefined))) {
      const reasons = new Set(result.parts.flatMap(({ cells }) => cells.map(({ refused }) => refused)))
      say(`none of these can be had there: ${[...reasons].join('; ')}`)
      return exitCodes.usage
    }
    const written = writeResults(
      flags,
      () => toJson(result),
      () => toHtml(result),
      tableText(result, process.stdout.columns),
    )
    if (result.aborted && modeOf(flags) !== 'simulated') say('stopped; some seconds until runs under way have ended')
    return exitCodeOf(result, written)
  })
}

/** Closes what it opened, whatever happens. */
export async function inLaboratories(
  flags: TortureFlags,
  work: (laboratories: Laboratory[]) => Promise<number>,
  mode = modeOf(flags),
): Promise<number> {
  let opened: Laboratory[]
  try {
    opened = await openLaboratories(mode, flags)
  } catch (error) {
    if (!(error instanceof LaboratoryError)) throw error
    say(error.message)
    return exitCodes.unavailable
  }
  try {
    return await work(opened)
  } finally {
    await Promise.all(opened.map((laboratory) => laboratory.close()))
  }
}

/** One after the other: each has its own number of seeds, and a busy simulation does not disturb real time. */
async function runIn(laboratories: readonly Laboratory[], flags: TortureFlags): Promise<Result> {
  const { engines, algorithm: algorithms = engines ?? catalogue, seed: firstSeed, minutes, threads } = flags
  const progress = flags.json === true ? noProgress : progressOn(process.stderr)
  try {
    return await campaign({
      laboratories,
      algorithms,
      faults: faultsOf(flags),
      seeds: ({ name }) => flags.seeds ?? (name === 'simulation' ? simulatedSeeds : realSeeds),
      firstSeed,
      minutes,
      threads: { count: threads },
      signal: untilStopped(),
      onProgress: (now) => progress.update(now),
    })
  } finally {
    progress.done()
  }
}

/** `written`: all that was to be written is. */
export function exitCodeOf(result: Result, written: boolean): number {
  if (brokenPromises(result).length > 0) return exitCodes.failed
  if (laboratoryFailures(result).length > 0 || !written) return exitCodes.laboratory
  return result.aborted ? exitCodes.signal + 2 : 0
}
