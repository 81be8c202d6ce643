/** One run of one contender, and what it cost. */
import { coreBusyNs, processCpuNs } from './cpu.js'
import { median, percentile, round } from './statistics.js'

export interface Span {
  operations: number
  wallNs: number
  clientCpuNs: number
  /** 0 where there is no server. */
  serverCpuNs: number
  /** What others took of the cores. */
  foreignCpuNs: number
  p50Ms: number
  p99Ms: number
}

/** Medians over some runs. */
export interface SpanFigures {
  opsPerSecond: number
  /** Of the client's process, all its threads. */
  cpuMicrosPerOp: number
  p50Ms: number
  p99Ms: number
  clientCpuShare: number
  serverCpuShare: number
  foreignCpuShare: number
}

/** Where CPU time is read: the server's process, if there is one, and the cores that it and this process are on. */
export interface Place {
  serverPid: number | undefined
  cores: readonly number[]
}

/** Runs `operate` in this process; it gives back what every operation took, in milliseconds. */
export async function takeSpan(place: Place, operate: () => Promise<Float64Array>): Promise<Span> {
  const before = readings(place)
  const latenciesMs = await operate()
  const after = readings(place)
  const clientCpuNs = after.clientNs - before.clientNs
  const serverCpuNs = after.serverNs - before.serverNs
  const sorted = latenciesMs.sort()
  return {
    operations: sorted.length,
    wallNs: Number(after.wall - before.wall),
    clientCpuNs,
    serverCpuNs,
    foreignCpuNs: Math.max(0, after.busyNs - before.busyNs - clientCpuNs - serverCpuNs),
    p50Ms: percentile(sorted, 50),
    p99Ms: percentile(sorted, 99),
  }
}

function readings({ serverPid, cores }: Place) {
  return {
    clientNs: processCpuNs(process.pid),
    serverNs: serverPid === undefined ? 0 : processCpuNs(serverPid),
    busyNs: cores.reduce((sum, core) => sum + coreBusyNs(core), 0),
    wall: process.hrtime.bigint(),
  }
}

export function spanFigures(spans: readonly Span[]): SpanFigures {
  const of = (value: (span: Span) => number) => round(median(spans.map(value)))
  return {
    opsPerSecond: Math.round(median(spans.map(opsPerSecond))),
    cpuMicrosPerOp: of(cpuMicrosPerOp),
    p50Ms: of((span) => span.p50Ms),
    p99Ms: of((span) => span.p99Ms),
    clientCpuShare: of((span) => span.clientCpuNs / span.wallNs),
    serverCpuShare: of((span) => span.serverCpuNs / span.wallNs),
    foreignCpuShare: of((span) => span.foreignCpuNs / span.wallNs),
  }
}

export function opsPerSecond(span: Span): number {
  return (span.operations * 1e9) / span.wallNs
}

export function cpuMicrosPerOp(span: Span): number {
  return span.clientCpuNs / 1000 / span.operations
}

/** Other processes took part of the cores. The kernel counts that in ticks of 10 ms, so short runs say it roughly. */
export function wasDisturbed(span: Span): boolean {
  return span.foreignCpuNs > 0.25 * span.wallNs
}
