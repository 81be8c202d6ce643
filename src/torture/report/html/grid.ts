/** The table of one laboratory. */
import type { AlgorithmCard, Cell, Part, Result } from '../../campaign/result.js'
import type { FaultName } from '../../faults.js'
import { faultKind } from '../../faults.js'
import { absentLines, cellAt, cellText, footnoteNumber, notApplicable, split, superscript } from '../cells.js'
import { type Markup, markup } from './markup.js'

export function grid(result: Result, part: Part): Markup {
  const { shown, left } = split(part, result.faults)
  const groups = [
    { title: 'The museum', of: result.algorithms.filter(({ row }) => row !== undefined) },
    { title: 'Ours', of: result.algorithms.filter(({ row }) => row === undefined) },
  ].filter(({ of }) => of.length > 0)
  return markup`<div class="scroll"><table>
<thead><tr><th scope="col"></th>${shown.map((fault) => markup`<th scope="col" title="${faultKind(fault).what}"><span>${fault}</span></th>`)}</tr></thead>
<tbody>
${groups.map(({ title, of }) => [
  markup`<tr class="group"><th scope="row">${title}</th><td colspan="${shown.length}"></td></tr>\n`,
  ...of.map((card) => row(result, part, card, shown)),
])}</tbody></table></div>
${left.length === 0 ? undefined : markup`<p class="soft">Not here: ${left.join(', ')}.</p>`}
${absentLines(part).map((line) => markup`<p class="soft">${notApplicable} ${line}</p>\n`)}`
}

function row(
  result: Result,
  part: Part,
  { name, row, what, story }: AlgorithmCard,
  faults: readonly FaultName[],
): Markup {
  return markup`<tr data-algorithm="${name}"><th scope="row" title="${what}">${row === undefined ? '' : `${row} `}${name}</th>${faults.map(
    (fault) => {
      const cell = cellAt(part, name, fault)
      return cell === undefined
        ? markup`<td class="none">${notApplicable}</td>`
        : cellMarkup(result, part, cell, fault === story)
    },
  )}</tr>\n`
}

function cellMarkup(result: Result, part: Part, cell: Cell, isStory: boolean): Markup {
  const number = footnoteNumber(result, cell)
  const isWorst = part.worst.some(({ plan }) => plan.algorithm === cell.algorithm && plan.fault === cell.fault)
  const classes = [shade(cell), ...(isStory ? ['story'] : [])].join(' ')
  const text = `${cellText(cell)}${number === undefined ? '' : superscript(number)}`
  return markup`<td class="${classes}" title="${titleOf(cell, isStory)}">${
    isWorst ? markup`<a href="#${runId(part, cell.algorithm)}">${text}</a>` : text
  }</td>`
}

/** Where the worst run of an algorithm is on the page. */
export function runId({ laboratory }: Part, algorithm: string): string {
  return `${laboratory}-${algorithm}`
}

/** b0: no violation; b1 to b4: ever more of the runs. */
function shade({ refused, runs, bad }: Cell): string {
  if (refused !== undefined || runs === 0) return 'none'
  return bad === 0 ? 'b0' : `b${Math.min(4, 1 + Math.floor((bad / runs) * 4))}`
}

function titleOf({ algorithm, fault, refused, kinds, firstBadSeed, errors, error }: Cell, isStory: boolean): string {
  const parts = [`${algorithm} under ${fault}`]
  if (refused !== undefined) parts.push(refused)
  for (const [kind, runs] of Object.entries(kinds)) parts.push(`${kind} in ${runs} runs`)
  if (firstBadSeed !== undefined) parts.push(`first with seed ${firstBadSeed}`)
  if (isStory) parts.push('its story names this fault')
  if (errors > 0) parts.push(`the laboratory failed ${errors} times: ${error?.text ?? ''}`)
  return parts.join('; ')
}
