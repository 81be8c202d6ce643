/** What one laboratory does in a campaign. */
import type { Algorithm } from '../algorithm.js'
import type { CampaignOptions } from '../campaign.js'
import { type FaultName, faultKind } from '../faults.js'
import type { Laboratory } from '../laboratory.js'
import type { Crew, Share } from './crew.js'
import type { Cell, Part, Run } from './result.js'
import { noRuns, sum, type Tally, worse } from './tally.js'

type Options = CampaignOptions & { readonly seeds: number }

/** A cell that is worked on. */
interface Open {
  readonly algorithm: Algorithm
  readonly fault: FaultName
  readonly refused: string | undefined
  tally: Tally
}

/** `before`: how many laboratories have had their part already. */
export async function runPart(
  laboratory: Laboratory,
  crew: Crew,
  options: CampaignOptions,
  before: number,
): Promise<Part> {
  const { algorithms, faults, signal } = options
  const cells = algorithms.flatMap((algorithm) => faults.map((fault) => openCell(laboratory, algorithm, fault)))
  const open = cells.filter(({ refused }) => refused === undefined)
  const seeds = typeof options.seeds === 'number' ? options.seeds : options.seeds(laboratory)
  const pace = new Pace(laboratory, open, { ...options, seeds }, before)
  const shares = sharesOf(open, crew.shareOf, { ...options, seeds })
  const hands = Array.from({ length: crew.atOnce }, work)
  await Promise.race([Promise.all(hands), whenAborted(signal)])
  return { laboratory: laboratory.name, cells: cells.map(cellOf), worst: worstOf(cells) }

  async function work(): Promise<void> {
    while (!pace.isOver()) {
      const next = shares.next()
      if (next.done) return
      const [cell, share] = next.value
      const tally = await crew.workOff(share, cell.algorithm)
      if (signal?.aborted) return
      cell.tally = sum(cell.tally, tally)
      pace.tell()
    }
  }
}

function openCell(laboratory: Laboratory, algorithm: Algorithm, fault: FaultName): Open {
  return { algorithm, fault, refused: refusal(laboratory, algorithm, fault), tally: noRuns }
}

function refusal(laboratory: Laboratory, algorithm: Algorithm, fault: FaultName): string | undefined {
  const { simulated, real } = faultKind(fault)
  const possible = laboratory.name === 'simulation' ? simulated : real
  if (!possible) return laboratory.name === 'simulation' ? 'not in virtual time' : 'not with real processes'
  if (algorithm.without?.includes(fault)) return 'means nothing to it'
  return laboratory.refuses(algorithm, fault)
}

/** All cells have some runs before any has many. */
function* sharesOf(open: readonly Open[], shareOf: number, options: Options): Generator<[Open, Share]> {
  const { seeds, firstSeed = 1, minutes } = options
  const end = minutes === undefined ? seeds : Number.POSITIVE_INFINITY
  if (open.length === 0) return
  for (let from = 0; from < end; from += shareOf) {
    const numbers = Array.from({ length: Math.min(shareOf, end - from) }, (_, i) => firstSeed + from + i)
    for (const cell of open) yield [cell, { algorithm: cell.algorithm.name, fault: cell.fault, seeds: numbers }]
  }
}

/** How far it is, and when it is over. */
class Pace {
  readonly #laboratory: Laboratory
  readonly #open: readonly Open[]
  readonly #options: Options
  readonly #before: number
  readonly #startedAt = performance.now()

  constructor(laboratory: Laboratory, open: readonly Open[], options: Options, before: number) {
    this.#laboratory = laboratory
    this.#open = open
    this.#options = options
    this.#before = before
  }

  isOver(): boolean {
    const { signal, minutes } = this.#options
    return signal?.aborted === true || (minutes !== undefined && this.#share() >= 1)
  }

  tell(): void {
    const { onProgress, laboratories } = this.#options
    if (onProgress === undefined) return
    const [runs, bad, errors] = (['runs', 'bad', 'errors'] as const).map((figure) =>
      this.#open.reduce((total, { tally }) => total + tally[figure], 0),
    )
    const done = (this.#before + Math.min(1, this.#share())) / laboratories.length
    onProgress({ laboratory: this.#laboratory.name, done, runs, bad, errors })
  }

  /** Of this laboratory's part, from 0. */
  #share(): number {
    const { minutes, seeds, laboratories } = this.#options
    if (minutes !== undefined) {
      return (performance.now() - this.#startedAt) / ((minutes * 60_000) / laboratories.length)
    }
    const done = this.#open.reduce((total, { tally }) => total + tally.runs + tally.errors, 0)
    return done / (seeds * this.#open.length)
  }
}

function whenAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve()
    signal?.addEventListener('abort', () => resolve(), { once: true })
  })
}

function cellOf({ algorithm, fault, refused, tally }: Open): Cell {
  const { worst: _, ...figures } = tally
  return { algorithm: algorithm.name, fault, refused, ...figures }
}

/** What breaks a promise is worse than what was never promised. */
function worstOf(cells: readonly Open[]): Run[] {
  const names = [...new Set(cells.map(({ algorithm }) => algorithm.name))]
  return names.flatMap((name) => {
    const bad = cells.filter(({ algorithm, tally }) => algorithm.name === name && tally.worst !== undefined)
    if (bad.length === 0) return []
    const within = bad.filter(({ algorithm, fault }) => algorithm.exceeded?.[fault] === undefined)
    return (within.length > 0 ? within : bad).map(({ tally }) => tally.worst!).reduce(worse)
  })
}
