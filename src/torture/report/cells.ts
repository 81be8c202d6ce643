/** What a cell of the table says, for the terminal and the page alike. */
import { brokenPromises, type Cell, laboratoryFailures, type Part, type Result } from '../campaign/result.js'
import type { FaultName } from '../faults.js'

/** Broken promises in the verdict. */
const mostNamed = 4
/** A fault that means nothing to an algorithm, or that cannot be had there. */
export const notApplicable = '·'
/** The laboratory failed there. */
export const failedMark = '!'
/** Nothing broke, but in no run did anybody get anything done. */
export const idleMark = '~'

export function cellText({ refused, runs, bad, idle, errors }: Cell): string {
  if (refused !== undefined) return notApplicable
  if (runs === 0) return errors > 0 ? failedMark : '-'
  return `${bad}/${runs}${bad === 0 && idle === runs ? idleMark : ''}${errors > 0 ? failedMark : ''}`
}

export function cellAt({ cells }: Part, algorithm: string, fault: FaultName): Cell | undefined {
  return cells.find((each) => each.algorithm === algorithm && each.fault === fault)
}

/** Faults under which at least one of the algorithms was run, and those under which none was. */
export function split({ cells }: Part, faults: readonly FaultName[]): { shown: FaultName[]; left: FaultName[] } {
  const isShown = (fault: FaultName) => cells.some((cell) => cell.fault === fault && cell.refused === undefined)
  return { shown: faults.filter(isShown), left: faults.filter((fault) => !isShown(fault)) }
}

/** A sentence that algorithms say where they promise less. */
export interface Footnote {
  readonly algorithms: readonly string[]
  readonly text: string
}

/** One for each sentence, however many algorithms and faults it is said of. They are numbered from 1. */
export function footnotesOf({ algorithms, faults }: Result): Footnote[] {
  const said = new Map<string, Set<string>>()
  for (const { name, exceeded = {} } of algorithms) {
    for (const fault of faults) {
      const text = exceeded[fault]
      if (text !== undefined) said.set(text, (said.get(text) ?? new Set()).add(name))
    }
  }
  return Array.from(said, ([text, names]) => ({ algorithms: [...names], text }))
}

/** From 1; undefined where nothing is exceeded, or nothing was run. */
export function footnoteNumber({ algorithms, ...result }: Result, cell: Cell): number | undefined {
  const text = algorithms.find(({ name }) => name === cell.algorithm)?.exceeded?.[cell.fault]
  if (text === undefined || cell.refused !== undefined) return undefined
  return footnotesOf({ algorithms, ...result }).findIndex((each) => each.text === text) + 1
}

export function superscript(number: number): string {
  return String(number).replace(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)])
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

/** Algorithms of which nothing was run there, and why: the reason that most of their cells have. */
export function absentLines({ cells }: Part): string[] {
  const absent = new Map<string, string[]>()
  for (const name of new Set(cells.map(({ algorithm }) => algorithm))) {
    const reasons = cells.filter(({ algorithm }) => algorithm === name).map(({ refused }) => refused)
    if (reasons.includes(undefined)) continue
    const reason = mostCommon(reasons as string[])
    absent.set(reason, [...(absent.get(reason) ?? []), name])
  }
  return Array.from(absent, ([reason, names]) => `${names.join(', ')}: ${reason}.`)
}

function mostCommon(texts: readonly string[]): string {
  const count = (text: string) => texts.filter((each) => each === text).length
  return texts.reduce((best, text) => (count(text) > count(best) ? text : best))
}

/** How to read a cell. */
export function cellNotes({ parts }: Result): string[] {
  const hasIdle = parts.some(({ cells }) => cells.some(({ runs, bad, idle }) => runs > 0 && bad === 0 && idle === runs))
  return [
    `A cell is violations/runs; ${notApplicable} means nothing there, or cannot be had.`,
    ...(hasIdle ? [`${idleMark} Nobody got anything done there: that nothing broke says nothing.`] : []),
  ]
}

/** What follows from it, in a sentence. */
export function verdictOf(result: Result): string {
  const broken = brokenPromises(result)
  if (broken.length > 0) {
    const where = broken.map(({ algorithm, fault, firstBadSeed }) => `${algorithm}/${fault}/${firstBadSeed}`)
    const more = where.length > mostNamed ? `, and ${where.length - mostNamed} more` : ''
    return `Ours broke a promise: ${where.slice(0, mostNamed).join(', ')}${more}.`
  }
  if (laboratoryFailures(result).length > 0) {
    return 'The laboratory itself failed in places, so that nothing is shown there.'
  }
  const ours = new Set(result.algorithms.filter(({ row }) => row === undefined).map(({ name }) => name))
  // Runs in which nobody got anything done show nothing.
  const showsIt = ({ algorithm, runs, idle }: Cell) => ours.has(algorithm) && runs > idle
  const hasRun = result.parts.some(({ cells }) => cells.some(showsIt))
  return hasRun ? 'Ours broke no promise.' : 'Ours was not run, or got nothing done.'
}
