/** The table for the terminal: algorithms down, faults across, as many beside each other as fit. */
import type { AlgorithmCard, Part, Result } from '../campaign/result.js'
import type { FaultName } from '../faults.js'
import {
  absentLines,
  cellAt,
  cellNotes,
  cellText,
  failedMark,
  failureLines,
  footnoteNumber,
  footnotesOf,
  notApplicable,
  split,
  superscript,
  titleOf,
  verdictOf,
} from './cells.js'

const gap = '  '

/** `width`: columns of the terminal. Default 80. */
export function tableText(result: Result, width = 80): string {
  return [...result.parts.map((part) => partText(result, part, width)), notesText(result, width)].join('\n')
}

function partText(result: Result, part: Part, width: number): string {
  const { shown, left } = split(part, result.faults)
  const columns = [names(result.algorithms), ...shown.map((fault) => column(result, part, fault))]
  const blocks = blocksOf(columns, width)
  const omitted = left.length === 0 ? '' : `\n${wrap(`Not here: ${left.join(', ')}.`, width, '')}`
  const absent = absentLines(part).map((line) => `\n${wrap(`${notApplicable} ${line}`, width, '  ')}`)
  return `${[titleOf(part), ...blocks].join('\n\n')}${omitted}${absent.join('')}\n`
}

/** The museum, and below a line ours. */
function names(algorithms: readonly AlgorithmCard[]): string[] {
  return ['', ...withRule(algorithms, ({ row, name }) => (row === undefined ? `   ${name}` : `${pad(row)} ${name}`))]
}

function column(result: Result, part: Part, fault: FaultName): string[] {
  return [fault, ...withRule(result.algorithms, ({ name }) => textAt(name))]

  function textAt(name: string): string {
    const cell = cellAt(part, name, fault)
    if (cell === undefined) return notApplicable
    const number = footnoteNumber(result, cell)
    return `${cellText(cell)}${number === undefined ? '' : superscript(number)}`
  }
}

function pad(row: number): string {
  return String(row).padStart(2)
}

function withRule(algorithms: readonly AlgorithmCard[], text: (card: AlgorithmCard) => string): string[] {
  const [museum, ours] = [true, false].map((of) => algorithms.filter(({ row }) => (row !== undefined) === of))
  return museum.length > 0 && ours.length > 0
    ? [...museum.map(text), '', ...ours.map(text)]
    : [...museum, ...ours].map(text)
}

/** The first column is repeated in every block. */
function blocksOf([first, ...rest]: readonly string[][], width: number): string[] {
  const blocks: string[][][] = []
  let used = Number.POSITIVE_INFINITY
  for (const column of rest) {
    const needed = gap.length + widthOf(column)
    if (used + needed > width) {
      blocks.push([first])
      used = widthOf(first)
    }
    blocks.at(-1)!.push(column)
    used += needed
  }
  return blocks.map(blockText)
}

function blockText(columns: readonly string[][]): string {
  const [first] = columns
  const line = (_: string, row: number) =>
    columns
      .map((column, i) => (i === 0 ? column[row].padEnd(widthOf(column)) : column[row].padStart(widthOf(column))))
      .join(gap)
      .trimEnd()
  return first.map(line).join('\n')
}

function widthOf(column: readonly string[]): number {
  return Math.max(...column.map(({ length }) => length))
}

function notesText(result: Result, width: number): string {
  const failures = result.parts.flatMap(failureLines)
  const lines = [
    ...cellNotes(result),
    ...footnotesOf(result).map(({ algorithms, text }, i) =>
      wrap(`${superscript(i + 1)} ${algorithms.join(', ')}: ${text}.`, width, '  '),
    ),
    ...failures.map((line) => wrap(`${failedMark} ${line}`, width, '  ')),
    ...(result.aborted ? ['It was stopped before it was through.'] : []),
    wrap(verdictOf(result), width, '  '),
  ]
  return `${lines.join('\n')}\n`
}

function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = []
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(lines.length === 0 ? word : indent + word)
  }
  return lines.join('\n')
}
