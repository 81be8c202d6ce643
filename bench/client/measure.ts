import { cpuMicrosPerOp, opsPerSecond, type Span, type SpanFigures, spanFigures } from '../support/span.js'
import { median, quartiles, round } from '../support/statistics.js'
import type { Cell } from './cells.js'
import { type Contender, ours } from './contenders.js'
import type { ValueKind } from './subjects/subject.js'

/** One contender in one cell: medians over the repeats. */
export interface Figures extends SpanFigures {
  name: string
  client: string
  values: ValueKind
}

/** Latchkey against one peer in the better of its settings, both with the same kind of values. */
export interface Duel {
  peer: string
  latchkey: string
  /** Median over the repeats. */
  throughputRatio: number
  throughputQuartiles: [number, number]
  /** The peer's CPU time per operation divided by Latchkey's. */
  cpuRatio: number
  /** Who kept one of the two from using its core, so that the throughput ratio says little. */
  distortedBy: 'nobody' | 'server' | 'other processes'
}

export interface CellResult extends Cell {
  figures: Figures[]
  /** Against every peer; the hardest first. */
  duels: Duel[]
}

/** The runs of one contender in one cell, in the order of the repeats. */
export interface Runs {
  contender: Pick<Contender, 'name' | 'client' | 'values'>
  spans: readonly Span[]
}

const saturated = 0.95
const foreignMax = 0.1

export function cellResult(cell: Cell, all: readonly Runs[]): CellResult {
  const peers = [...new Set(all.map(({ contender }) => contender.client))].filter((client) => client !== ours)
  const duels = peers.map((peer) => {
    const best = fastest(all.filter(({ contender }) => contender.client === peer))
    return duel(latchkeyLike(best, all), best)
  })
  return {
    ...cell,
    figures: all.map(figuresOf),
    duels: duels.sort((one, other) => believedRatio(one) - believedRatio(other)),
  }
}

/** The ratio to believe: throughput, unless one side could not use its core. */
export function believedRatio(one: Duel): number {
  return one.distortedBy === 'nobody' ? one.throughputRatio : one.cpuRatio
}

function fastest(settings: readonly Runs[]): Runs {
  const speed = ({ spans }: Runs) => median(spans.map(opsPerSecond))
  return settings.reduce((best, one) => (speed(one) > speed(best) ? one : best))
}

function latchkeyLike(peer: Runs, all: readonly Runs[]): Runs {
  const { values } = peer.contender
  return all.find(({ contender }) => contender.client === ours && contender.values === values)!
}

/** Ratios are taken within repeats: what disturbs a shared machine often outlasts a run, and slows all of them. */
function duel(latchkey: Runs, peer: Runs): Duel {
  const throughput = latchkey.spans.map((span, repeat) => opsPerSecond(span) / opsPerSecond(peer.spans[repeat]))
  const cpu = latchkey.spans.map((span, repeat) => cpuMicrosPerOp(peer.spans[repeat]) / cpuMicrosPerOp(span))
  const [low, high] = quartiles(throughput)
  return {
    peer: peer.contender.name,
    latchkey: latchkey.contender.name,
    throughputRatio: round(median(throughput)),
    throughputQuartiles: [round(low), round(high)],
    cpuRatio: round(median(cpu)),
    distortedBy: distortion([figuresOf(latchkey), figuresOf(peer)]),
  }
}

/** A client that is neither busy nor kept from it waits for its own sake, or for one reply: that counts. */
function distortion(sides: readonly Figures[]): Duel['distortedBy'] {
  const idle = sides.filter((side) => side.clientCpuShare < saturated)
  if (idle.some((side) => side.serverCpuShare >= saturated)) return 'server'
  return idle.some((side) => side.foreignCpuShare > foreignMax) ? 'other processes' : 'nobody'
}

function figuresOf({ contender: { name, client, values }, spans }: Runs): Figures {
  return { name, client, values, ...spanFigures(spans) }
}
