import type { Contestants } from '../support/servers.js'
import { opsPerSecond, type Span, type SpanFigures, spanFigures, wasDisturbed } from '../support/span.js'
import { median, round } from '../support/statistics.js'
import { inTurns } from '../support/turns.js'
import { contendersIn, ours } from './contenders.js'
import { Crew, serverOf, withCrews, withServers } from './crew.js'
import type { Terms } from './subjects/subject.js'

export interface UncontendedRow extends SpanFigures {
  name: string
  /** Names that are locked at once, each by a loop of its own. */
  names: number
  /** How many times as many a second the default lock on Latchkey does. */
  oursTimes: number
}

const serverCore = 0
const clientCore = 1
const quickRuns = { repeats: 2, durationMs: 150, warmUpMs: 150 }
const fullRuns = { repeats: 7, durationMs: 400, warmUpMs: 400 }

export async function measureUncontended(
  contestants: Contestants,
  terms: Terms,
  quick: boolean,
): Promise<UncontendedRow[]> {
  const where = { size: 1, cores: [serverCore, clientCore], core: clientCore }
  return withServers(contestants, serverCore, (servers) =>
    withCrews(
      contendersIn('uncontended'),
      (contender) => Crew.open(contender, serverOf(contender, servers), terms, where),
      async (crews) => [...(await measure(crews, 1, quick)), ...(await measure(crews, 64, quick))],
    ),
  )
}

async function measure(crews: readonly Crew[], names: number, quick: boolean): Promise<UncontendedRow[]> {
  const { repeats, durationMs, warmUpMs } = quick ? quickRuns : fullRuns
  const run = (crew: Crew, ms: number) => crew.one<Span>({ kind: 'loop', concurrency: names, durationMs: ms })
  let patience = crews.length
  for (const crew of crews) await run(crew, warmUpMs)
  const spans = await inTurns(crews, repeats, async (crew) => {
    let span = await run(crew, durationMs)
    while (wasDisturbed(span) && patience-- > 0) span = await run(crew, durationMs)
    return span
  })
  return uncontendedRows(
    names,
    crews.map(({ contender: { name } }, at) => ({ name, spans: spans[at] })),
  )
}

/** Ratios are taken within repeats: what disturbs a shared machine often outlasts a run, and slows all of them. */
export function uncontendedRows(
  names: number,
  all: readonly { name: string; spans: readonly Span[] }[],
): UncontendedRow[] {
  const yardstick = all.find(({ name }) => name === ours)!.spans
  return all.map(({ name, spans }) => ({
    name,
    names,
    ...spanFigures(spans),
    oursTimes: round(median(spans.map((span, repeat) => opsPerSecond(yardstick[repeat]) / opsPerSecond(span)))),
  }))
}
