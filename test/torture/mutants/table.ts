/** The table of docs/LOCKS.md: what breaks first when a rule is taken out. */
import type { Prey } from './hunt.js'
import type { Mutant } from './mutant.js'

export const beginMark = '<!-- rules: written by npm run rules -->'
export const endMark = '<!-- end of rules -->'

export interface Row {
  readonly mutant: Mutant
  readonly prey: Prey
}

export function tableOf(rows: readonly Row[]): string {
  const head = ['| rule | taken out | seed | what broke |', '| --- | --- | --- | --- |']
  const lines = rows.map(({ mutant: { rule, what }, prey: { algorithm, fault, seed, violation } }) => {
    return `| ${rule} | ${what} | ${algorithm}, ${fault}, ${seed} | ${violation.kind}: ${violation.text} |`
  })
  return [...head, ...lines].join('\n')
}

/** The page with this table in place of the one that it has. */
export function withTable(page: string, table: string): string {
  const [before, rest] = page.split(beginMark)
  const after = rest?.split(endMark)[1]
  if (after === undefined) throw new Error('the page has no place for the table')
  return `${before}${beginMark}\n\n${table}\n\n${endMark}${after}`
}
