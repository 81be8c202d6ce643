/** The worst run of an algorithm. */
import type { AlgorithmCard, Part, Run } from '../../campaign/result.js'
import { replayCommand, runName, scheduleLines, seconds } from '../words.js'
import { closeUpOf } from './close-up.js'
import { runId } from './grid.js'
import { type Markup, markup } from './markup.js'
import { timeline } from './timeline.js'

const mostShown = 40

export function runMarkup(part: Part, run: Run, card: AlgorithmCard | undefined): Markup {
  const { plan, violations } = run
  const near = closeUpOf(run)
  return markup`<article id="${runId(part, plan.algorithm)}" data-algorithm="${plan.algorithm}">
<h3>${plan.algorithm} <small>under ${plan.fault}, seed ${plan.seed}</small></h3>
${card === undefined ? undefined : markup`<p class="soft">${card.what}</p>`}
<ul>
${violations.slice(0, mostShown).map(({ kind, at, text }) => markup`<li><b>${kind}</b> at ${seconds(at)}: ${text}</li>\n`)}${
  violations.length > mostShown ? markup`<li>and ${violations.length - mostShown} more</li>\n` : undefined
}</ul>
${near === undefined ? undefined : figure(timeline(run, near), `From near: ${seconds(near.from)} to ${seconds(near.to)}`)}
${figure(timeline(run), 'The whole run')}
<p>Once more: <code>${replayCommand(part.laboratory, plan)}</code></p>
<details><summary>The schedule of ${runName(plan)}</summary><pre>${scheduleLines(plan).join('\n')}</pre></details>
</article>
`
}

function figure(drawing: Markup, caption: string): Markup {
  return markup`<figure><figcaption>${caption}</figcaption><div>${drawing}</div></figure>`
}
