/**
 * A run as a drawing: a lane for each participant, with what it believed (bars), what became of its changes (lines) and what was
 * done to it (shades and triangles); below them the servers, and what became of the lock's record.
 */

import type { Run } from '../../campaign/result.js'
import { overlapsOf } from '../../checker/overlaps.js'
import type { BeliefSpan, Deed, History, Mark, Update, Violation } from '../../history.js'
import { deedText, seconds } from '../words.js'
import { type Markup, markup } from './markup.js'
import { type Scale, scaleOf, type Window } from './scale.js'

const width = 1000
const gutter = 116
const edge = 22
const top = 32
const lane = 50
const characterWidth = 6.6

/** `of`: part of the run; default all of it. */
export function timeline(run: Run, of: Window = { from: 0, to: Math.max(1, run.history.endedAt) }): Markup {
  const { plan, history } = run
  const lanes = lanesOf(run)
  const scale = scaleOf(of, gutter, width - gutter - edge)
  const height = top + lanes.size * lane + 4
  const title = `${plan.algorithm} under ${plan.fault}, seed ${plan.seed}, from ${seconds(of.from)} to ${seconds(of.to)}`
  return markup`<svg class="timeline" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
${axis(scale, height)}
${Array.from(lanes, ([who, y]) => laneMarkup(who, y))}
${history.marks.map((mark) => markMarkup(mark, lanes.get(mark.who ?? 'servers'), scale))}
${history.beliefs.map((belief) => beliefMarkup(belief, lanes.get(belief.who)!, scale))}
${history.updates.map((update) => updateMarkup(update, lanes.get(update.who)!, scale, history))}
${history.deeds.map((deed) => deedMarkup(deed, lanes.get('record')!, scale))}
${overlapsOf(history.beliefs).map(({ one, other, from, to }) => {
  const [y, end] = [lanes.get(one.who)!, lanes.get(other.who)!].sort((a, b) => a - b)
  const title = `${named(one)} and ${named(other)} believed at once, from ${seconds(from)} to ${seconds(to)}`
  return shape(
    scale,
    from,
    to,
    title,
    ({ x, width }) =>
      markup`<rect class="overlap" x="${x}" y="${y + 1}" width="${width}" height="${end - y + lane - 2}"/>`,
  )
})}
${run.violations.map((violation) => violationMarkup(violation, scale))}
${history.beliefs.map((belief) => fenceMarkup(belief, lanes.get(belief.who)!, scale))}
</svg>`
}

type Lane = number | 'servers' | 'record'

/** Where each lane begins; those in which nothing can be seen are left out. */
function lanesOf({ plan, history }: Run): Map<Lane, number> {
  const { beliefs, updates, marks, deeds } = history
  const seen = new Set([...beliefs, ...updates, ...marks].flatMap(({ who }) => (who === undefined ? [] : [who])))
  plan.rounds.forEach((rounds, who) => {
    if (rounds.length > 0) seen.add(who)
  })
  const lanes: Lane[] = [...seen].sort((one, other) => one - other)
  if (marks.some(({ who }) => who === undefined)) lanes.push('servers')
  if (deeds.length > 0) lanes.push('record')
  return new Map(lanes.map((each, i) => [each, top + i * lane]))
}

function axis({ ticks, x, label }: Scale, height: number): Markup[] {
  return ticks.map(
    (at) =>
      markup`<line class="tick" x1="${x(at)}" x2="${x(at)}" y1="${top - 12}" y2="${height}"/><text class="axis" x="${x(at)}" y="${top - 16}">${label(at)}</text>`,
  )
}

const laneNames = { servers: 'servers', record: 'lock’s record' } as const

function laneMarkup(who: Lane, y: number): Markup {
  const name = typeof who === 'number' ? `participant ${who}` : laneNames[who]
  return markup`<g class="lane" data-lane="${who}"><line class="rule" x1="0" x2="${width}" y1="${y}" y2="${y}"/><text x="4" y="${y + lane / 2 + 4}">${name}</text></g>`
}

function markMarkup({ at, what, who, ms }: Mark, y: number | undefined, scale: Scale): Markup | undefined {
  if (y === undefined) return undefined
  const title = `${who === undefined ? '' : `participant ${who}: `}${what}, at ${seconds(at)}${ms === undefined ? '' : `, for ${ms} ms`}`
  return shape(scale, at, at + (ms ?? 0), title, ({ x, width }) => [
    ms === undefined
      ? undefined
      : markup`<rect class="struck" x="${x}" y="${y + 1}" width="${width}" height="${lane - 2}"/>`,
    at < scale.from ? undefined : markup`<path class="mark" d="M${x - 5} ${y + 1}h10l-5 8z"/>`,
  ])
}

function beliefMarkup(belief: BeliefSpan, y: number, scale: Scale): Markup | undefined {
  const { from, to } = belief
  const title = `${named(belief)} believed, from ${seconds(from)} to ${seconds(to)}`
  return shape(
    scale,
    from,
    to,
    title,
    ({ x, width }) => markup`<rect class="belief" x="${x}" y="${y + 11}" width="${width}" height="18" rx="3"/>`,
  )
}

/** Over everything else, where there is room for it. */
function fenceMarkup({ from, to, fence }: BeliefSpan, y: number, scale: Scale): Markup | undefined {
  if (fence === undefined) return undefined
  const text = `fence ${fence}`
  const span = scale.span(from, to)
  if (span === undefined || span.width < text.length * characterWidth + 8) return undefined
  return markup`<text class="fence" x="${span.x + 5}" y="${y + 24}">${text}</text>`
}

function updateMarkup(
  { id, who, from, to, outcome, why }: Update,
  y: number,
  scale: Scale,
  { final }: History,
): Markup | undefined {
  const isLost = outcome === 'done' && !final.includes(id)
  const state = isLost ? 'lost' : outcome
  const reason = why === undefined ? '' : `: ${why}`
  const title = `${id} of participant ${who}: ${isLost ? 'done, and lost' : outcome}${reason}, from ${seconds(from)} to ${seconds(to)}`
  return shape(scale, from, to, title, ({ x, width }) => [
    markup`<rect class="update ${state}" x="${x}" y="${y + 37}" width="${width}" height="5" rx="2"/>`,
    isLost && to <= scale.to
      ? markup`<path class="cross" d="M${x + width - 5} ${y + 34}l10 11m0 -11l-10 11"/>`
      : undefined,
  ])
}

function deedMarkup(deed: Deed, y: number, scale: Scale): Markup | undefined {
  const { at, what } = deed
  if (at < scale.from || at > scale.to) return undefined
  const comes = what === 'add' || what === 'change'
  const arrow = comes ? 'l6 10h-12z' : 'l6 -10h-12z'
  return shape(
    scale,
    at,
    at,
    `${deedText(deed)}, at ${seconds(at)}`,
    ({ x }) => markup`<path class="deed ${what}" d="M${x} ${y + (comes ? 10 : 40)}${arrow}"/>`,
  )
}

/** On the axis, where it shows best. */
function violationMarkup({ kind, at, text }: Violation, scale: Scale): Markup | undefined {
  return shape(
    scale,
    at,
    at,
    `${kind} at ${seconds(at)}: ${text}`,
    ({ x }) => markup`<path class="violation" d="M${x} ${top - 2}m-4 -4l4 -4l4 4l-4 4z"/>`,
  )
}

/** With the title that a pointer over it shows. Nothing when it is out of sight. */
function shape(
  scale: Scale,
  from: number,
  to: number,
  title: string,
  draw: (span: { x: number; width: number }) => Markup | (Markup | undefined)[],
): Markup | undefined {
  const span = scale.span(from, to)
  return span === undefined ? undefined : markup`<g><title>${title}</title>${draw(span)}</g>\n`
}

function named({ who, fence }: BeliefSpan): string {
  return `participant ${who}${fence === undefined ? '' : ` (fence ${fence})`}`
}
