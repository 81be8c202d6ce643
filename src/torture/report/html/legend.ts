/** What the shapes of a timeline mean. */
import { type Markup, markup } from './markup.js'

const entries: readonly [shape: Markup, meaning: string][] = [
  [markup`<rect class="belief" x="1" y="2" width="28" height="12" rx="3"/>`, 'believes that it holds the lock'],
  [markup`<rect class="overlap" x="1" y="1" width="28" height="14"/>`, 'two believe at once'],
  [markup`<path class="violation" d="M15 2l6 6l-6 6l-6 -6z"/>`, 'a violation begins'],
  [
    markup`<rect class="struck" x="1" y="1" width="28" height="14"/><path class="mark" d="M1 1h10l-5 8z"/>`,
    'a fault, and how long it lasts',
  ],
  [update('done'), 'change done'],
  [markup`${update('lost')}<path class="cross" d="M22 3l8 10m0 -10l-8 10"/>`, 'told as done, and lost'],
  [update('busy'), 'did not get the lock'],
  [update('failed'), 'failed: may or may not be done'],
  [update('cut'), 'killed, or not finished'],
  [
    markup`<path class="deed add" d="M8 3l6 10h-12z"/><path class="deed change" d="M22 3l6 10h-12z"/>`,
    'the lock’s record comes, or is changed',
  ],
  [
    markup`<path class="deed delete" d="M8 13l6 -10h-12z"/><path class="deed evict" d="M22 13l6 -10h-12z"/>`,
    'the record is deleted, or lost',
  ],
]

function update(state: string): Markup {
  return markup`<rect class="update ${state}" x="1" y="6" width="27" height="5" rx="2"/>`
}

export const legend = markup`<ul class="legend">
${entries.map(([shape, meaning]) => markup`<li><svg viewBox="0 0 30 16" aria-hidden="true">${shape}</svg>${meaning}</li>\n`)}</ul>`
