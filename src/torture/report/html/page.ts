/** A result as one HTML file that needs nothing else: no network, no fonts, and no script for what it says. */
import { brokenPromises, laboratoryFailures, type Part, type Result } from '../../campaign/result.js'
import { cellNotes, failureLines, footnotesOf, superscript, titleOf, verdictOf } from '../cells.js'
import { grid } from './grid.js'
import { legend } from './legend.js'
import { Markup, markup } from './markup.js'
import { runMarkup } from './run.js'
import { script } from './script.js'
import { style } from './style.js'

export function toHtml(result: Result): string {
  const { parts } = result
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Latchkey: who broke mutual exclusion</title><link rel="icon" href="data:,"><style>${new Markup(style)}</style></head><body>
${header(result)}
${parts.map(
  (part) => markup`<section><h2>${titleOf(part)}</h2>
${grid(result, part)}</section>
`,
)}
${notes(result)}
${parts.some(({ worst }) => worst.length > 0) ? markup`<h2>How to read the drawings</h2>${legend}` : undefined}
${parts.map((part) => worstRuns(result, part))}
<section><h2>The algorithms</h2><dl>
${result.algorithms.map(({ name, what }) => markup`<dt data-algorithm="${name}">${name}</dt><dd data-algorithm="${name}">${what}</dd>\n`)}</dl></section>
<script>${new Markup(script)}</script>
</body></html>
`.text
}

function header(result: Result): Markup {
  const [broken, failures] = [brokenPromises(result), laboratoryFailures(result)]
  const state = broken.length > 0 ? 'broken' : failures.length > 0 ? 'unsure' : ''
  const runs = result.parts.flatMap(({ cells }) => cells).reduce((sum, cell) => sum + cell.runs, 0)
  return markup`<header><h1>Who broke mutual exclusion</h1>
<p>Lock algorithms under the same faults. Every run is planned from its seed before it begins, and judged by what was seen of it.</p>
<p class="verdict ${state}">${verdictOf(result)}</p>
<p class="soft">${runs} runs in ${Math.round(result.tookMs / 1000)} s.${result.aborted ? ' Stopped before it was through.' : ''}</p>
</header>`
}

function notes(result: Result): Markup {
  return markup`<p class="soft">${cellNotes(result).join(' ')} Framed: the fault that its story names. Underlined: the worst run, drawn below.</p>
${footnotesOf(result).map(({ algorithms, text }, i) => markup`<p class="soft">${superscript(i + 1)} ${algorithms.join(', ')}: ${text}.</p>\n`)}${result.parts
  .flatMap(failureLines)
  .map((line) => markup`<p>! ${line}</p>\n`)}`
}

function worstRuns({ algorithms }: Result, part: Part): Markup | undefined {
  if (part.worst.length === 0) return undefined
  return markup`<section><h2>The worst run of each algorithm <small>${titleOf(part)}</small></h2>
${part.worst.map((run) =>
  runMarkup(
    part,
    run,
    algorithms.find(({ name }) => name === run.plan.algorithm),
  ),
)}</section>
`
}
