import { median, quartiles, round } from '../support/statistics.js'
import type { Case } from './cases.js'
import type { Span } from './load.js'

/** One server in one case: medians over the repeats. */
export interface Figures {
  opsPerSecond: number
  cpuMicrosPerOp: number
  serverCpuShare: number
  generatorCpuShare: number
  /** What other processes took of the two cores, as a share of one core. */
  foreignCpuShare: number
}

export interface CaseResult extends Case {
  latchkey: Figures
  memcached: Figures
  /** Median over the pairs of runs that followed each other. */
  throughputRatio: number
  throughputQuartiles: [number, number]
  /** memcached's CPU time per operation divided by Latchkey's: above 1, Latchkey does more with one core. */
  cpuRatio: number
  cpuQuartiles: [number, number]
  /** Who kept one of the servers from using its core, so that the throughput ratio says little. */
  distortedBy: 'nobody' | 'generator' | 'other processes'
}

const saturated = 0.95
const foreignMax = 0.1

/**
 * Both lists in the order of the runs. Ratios are taken within pairs, because what disturbs a shared machine (its other
 * work, its neighbours' use of cache and memory) often outlasts a run and doubles or halves the speed of both.
 */
export function caseResult(one: Case, latchkey: readonly Span[], memcached: readonly Span[]): CaseResult {
  const throughput = latchkey.map((span, pair) => opsPerSecond(span) / opsPerSecond(memcached[pair]))
  const cpu = latchkey.map((span, pair) => cpuMicrosPerOp(memcached[pair]) / cpuMicrosPerOp(span))
  const [ours, theirs] = [figures(latchkey), figures(memcached)]
  return {
    ...one,
    latchkey: ours,
    memcached: theirs,
    throughputRatio: round(median(throughput)),
    throughputQuartiles: roundBoth(quartiles(throughput)),
    cpuRatio: round(median(cpu)),
    cpuQuartiles: roundBoth(quartiles(cpu)),
    distortedBy: distortion([ours, theirs]),
  }
}

/** The ratio to believe: throughput, unless somebody else kept one of the servers from using its core. */
export function honestRatio(result: CaseResult): number {
  return result.distortedBy === 'nobody' ? result.throughputRatio : result.cpuRatio
}

/** Other processes took part of the two cores. The kernel counts that in ticks of 10 ms, so short runs say it roughly. */
export function wasDisturbed(span: Span): boolean {
  return span.foreignCpuNs > 0.25 * span.wallNs
}

function figures(spans: readonly Span[]): Figures {
  const of = (value: (span: Span) => number) => median(spans.map(value))
  return {
    opsPerSecond: Math.round(of(opsPerSecond)),
    cpuMicrosPerOp: round(of(cpuMicrosPerOp)),
    serverCpuShare: round(of((span) => span.serverCpuNs / span.wallNs)),
    generatorCpuShare: round(of((span) => span.generatorCpuNs / span.wallNs)),
    foreignCpuShare: round(of((span) => span.foreignCpuNs / span.wallNs)),
  }
}

function opsPerSecond(span: Span): number {
  return (span.operations * 1e9) / span.wallNs
}

function cpuMicrosPerOp(span: Span): number {
  return span.serverCpuNs / 1000 / span.operations
}

/** A server that is neither busy nor kept from it waits for its own sake: that counts against it. */
function distortion(sides: readonly Figures[]): CaseResult['distortedBy'] {
  const idle = sides.filter((side) => side.serverCpuShare < saturated)
  if (idle.some((side) => side.generatorCpuShare >= saturated)) return 'generator'
  return idle.some((side) => side.foreignCpuShare > foreignMax) ? 'other processes' : 'nobody'
}

function roundBoth([low, high]: [number, number]): [number, number] {
  return [round(low), round(high)]
}
