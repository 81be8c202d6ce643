/** The worst run of an algorithm. */
import type { AlgorithmCard, Part, Run } from '../../campaign/result.js'
import type { Violation } from '../../history.js'
import { replayCommand, runName, scheduleLines, seconds } from '../words.js'
import { closeUpOf } from './close-up.js'
import { runId } from './grid.js'
import { type Markup, markup } from './markup.js'
import { timeline } from './timeline.js'

/** Violations that are told at once; the others can be opened. */
const mostAtOnce = 6

export function runMarkup(part: Part, run: Run, card: AlgorithmCard | undefined): Markup {
  const { plan, violations } = run
  const near = closeUpOf(run)
  return markup`<article id="${runId(part, plan.algorithm)}" data-algorithm="${plan.algorithm}">
<h3>${plan.algorithm} <small>under ${plan.fault}, seed ${plan.seed}</small></h3>
${card === undefined ? undefined : markup`<p class="soft">${card.what}</p>`}
${near === undefined ? undefined : figure(timeline(run, near), `From near: ${seconds(near.from)} to ${seconds(near.to)}`)}
${figure(timeline(run), 'The whole run')}
${violationList(violations.slice(0, mostAtOnce))}
${violations.length <= mostAtOnce ? undefined : markup`<details><summary>${violations.length - mostAtOnce} more</summary>${violationList(violations.slice(mostAtOnce))}</details>`}
<p>Once more: <code>${replayCommand(part.laboratory, plan)}</code></p>
<details><summary>The schedule of ${runName(plan)}</summary><pre>${scheduleLines(plan).join('\n')}</pre></details>
</article>
`
}

function violationList(violations: readonly Violation[]): Markup {
  return markup`<ul>
${violations.map(({ kind, at, text }) => markup`<li><b>${kind}</b> at ${seconds(at)}: ${text}</li>\n`)}</ul>`
}

function figure(drawing: Markup, caption: string): Markup {
  return markup`<figure><figcaption>${caption}</figcaption><div>${drawing}</div></figure>`
}
