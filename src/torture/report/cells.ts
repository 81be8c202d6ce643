/** What a cell of the table says, for the terminal and the page alike. */
import type { AlgorithmCard, Cell, Part } from '../campaign/result.js'
import type { FaultName } from '../faults.js'

/** A fault that means nothing to an algorithm, or that cannot be had there. */
export const notApplicable = '·'
/** The laboratory failed there. */
export const failedMark = '!'

export function cellText({ refused, runs, bad, errors }: Cell): string {
  if (refused !== undefined) return notApplicable
  if (runs === 0) return errors > 0 ? failedMark : '-'
  return `${bad}/${runs}${errors > 0 ? failedMark : ''}`
}

export function cellAt({ cells }: Part, algorithm: string, fault: FaultName): Cell | undefined {
  return cells.find((each) => each.algorithm === algorithm && each.fault === fault)
}

/** Faults under which at least one of the algorithms was run, and those under which none was. */
export function split({ cells }: Part, faults: readonly FaultName[]): { shown: FaultName[]; left: FaultName[] } {
  const isShown = (fault: FaultName) => cells.some((cell) => cell.fault === fault && cell.refused === undefined)
  return { shown: faults.filter(isShown), left: faults.filter((fault) => !isShown(fault)) }
}

export interface Footnote {
  readonly algorithm: string
  readonly faults: readonly FaultName[]
  readonly text: string
}

/** What algorithms say where they promise less. One sentence for several faults is one footnote; they are numbered from 1. */
export function footnotesOf(algorithms: readonly AlgorithmCard[], faults: readonly FaultName[]): Footnote[] {
  return algorithms.flatMap(({ name: algorithm, exceeded = {} }) => {
    const said = faults.filter((fault) => exceeded[fault] !== undefined)
    const texts = [...new Set(said.map((fault) => exceeded[fault]!))]
    return texts.map((text) => ({ algorithm, faults: said.filter((fault) => exceeded[fault] === text), text }))
  })
}

/** From 1; undefined where nothing is exceeded, or nothing was run. */
export function footnoteNumber(footnotes: readonly Footnote[], cell: Cell): number | undefined {
  if (cell.refused !== undefined) return undefined
  const found = footnotes.findIndex(
    ({ algorithm, faults }) => algorithm === cell.algorithm && faults.includes(cell.fault),
  )
  return found < 0 ? undefined : found + 1
}

const laboratoryTitles: Readonly<Record<Part['laboratory'], string>> = {
  simulation: 'Simulated: virtual time, one seed a run',
  processes: 'Real: processes, servers and signals',
}

export function titleOf({ laboratory }: Part): string {
  return laboratoryTitles[laboratory]
}

/** Failures of the laboratory: how many, and the first of each cell. */
export function failureLines({ cells }: Part): string[] {
  return cells
    .filter(({ errors }) => errors > 0)
    .map(({ algorithm, fault, errors, error }) => {
      const times = errors === 1 ? 'once' : `${errors} times`
      return `${algorithm}/${fault}: the laboratory failed ${times}, first with seed ${error!.seed}: ${error!.text}`
    })
}

/** What follows from it, in a sentence. */
export function verdictOf(broken: readonly Cell[], failures: readonly Cell[]): string {
  if (broken.length > 0) {
    const where = broken.map(({ algorithm, fault, firstBadSeed }) => `${algorithm}/${fault}/${firstBadSeed}`)
    return `Ours broke a promise: ${where.join(', ')}.`
  }
  if (failures.length > 0) return 'The laboratory itself failed in places, so that nothing is shown there.'
  return 'Ours broke no promise.'
}
