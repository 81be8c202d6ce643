/** What a majority costs: acquire and release of locks nobody holds, on one server and on several, side by side in one process. */
import { join } from 'node:path'
import { Remote } from '../support/remote.js'
import type { Contestants, RunningServer } from '../support/servers.js'
import { type SpanFigures, spanFigures } from '../support/span.js'
import { median, round } from '../support/statistics.js'
import { inTurns } from '../support/turns.js'
import type { DelayOrder } from './delaying.js'
import { homes, type LockHome, serversMost, singleOf } from './homes.js'
import type { Course, Order } from './worker.js'

export interface QuorumRow extends SpanFigures {
  name: string
  /** Names that are locked at once, each by a loop of its own. */
  names: number
  /** Added to every round trip. */
  delayMs: number
  acquireP50Ms: number
  /** How many times as long it takes as on one server of the kind, in the middle. */
  timesSingle: number
}

export interface QuorumPartOptions {
  quick: boolean
  contestants: Contestants
  log: (line: string) => void
}

const serverCore = 0
const clientCore = 1
const delaysMs = [0, 1]
const namesAtOnce = [1, 64]
const quickRuns = { repeats: 3, durationMs: 150 }
const fullRuns = { repeats: 9, durationMs: 400 }

type Ports = Record<keyof Contestants, number[]>

export async function runQuorumPart({ quick, contestants, log }: QuorumPartOptions): Promise<QuorumRow[]> {
  const running: RunningServer[] = []
  const start = async (kind: keyof Contestants): Promise<number[]> => {
    const ports: number[] = []
    for (let nth = 0; nth < serversMost; nth++) {
      const server = await contestants[kind]({ threads: 1, memoryMiB: 64, core: serverCore })
      running.push(server)
      ports.push(server.port)
    }
    return ports
  }
  try {
    const ports = { latchkey: await start('latchkey'), memcached: await start('memcached') }
    const rows: QuorumRow[] = []
    for (const delayMs of delaysMs) rows.push(...(await withDelay(ports, delayMs, quick)))
    for (const row of rows) log(describe(row))
    return rows
  } finally {
    for (const server of running) await server.stop()
  }
}

async function withDelay(ports: Ports, delayMs: number, quick: boolean): Promise<QuorumRow[]> {
  if (delayMs === 0) return withWorker(ports, 0, quick)
  const proxy = new Remote<DelayOrder, number[]>(join(import.meta.dirname, 'delaying.js'), 'delaying', serverCore)
  try {
    const reached = async (kind: keyof Contestants) => (await proxy.order({ ports: ports[kind], delayMs }))!
    return await withWorker(
      { latchkey: await reached('latchkey'), memcached: await reached('memcached') },
      delayMs,
      quick,
    )
  } finally {
    proxy.stop()
  }
}

async function withWorker(ports: Ports, delayMs: number, quick: boolean): Promise<QuorumRow[]> {
  const worker = new Remote<Order, Course>(join(import.meta.dirname, 'worker.js'), 'quorum', clientCore)
  try {
    for (const { kind, servers } of homes) await worker.order({ kind: 'open', ports: ports[kind].slice(0, servers) })
    const rows: QuorumRow[] = []
    for (const names of namesAtOnce) rows.push(...(await measure(worker, names, delayMs, quick)))
    return rows
  } finally {
    worker.stop()
  }
}

async function measure(
  worker: Remote<Order, Course>,
  names: number,
  delayMs: number,
  quick: boolean,
): Promise<QuorumRow[]> {
  const { repeats, durationMs } = quick ? quickRuns : fullRuns
  const place = { serverPid: undefined, cores: [serverCore, clientCore] }
  const run = async (home: LockHome) =>
    (await worker.order({ kind: 'loop', nth: homes.indexOf(home), loops: names, durationMs, place }))!
  // The first turn warms the code.
  await inTurns(homes, 1, run)
  const courses = await inTurns(homes, repeats, run)
  return homes.map((home, at) => ({
    ...rowOf(courses[at], courses[homes.indexOf(singleOf(home))]),
    name: home.name,
    names,
    delayMs,
  }))
}

/** Ratios are taken within repeats, and their median. */
function rowOf(courses: readonly Course[], single: readonly Course[]): Omit<QuorumRow, 'name' | 'names' | 'delayMs'> {
  return {
    ...spanFigures(courses),
    acquireP50Ms: round(median(courses.map(({ acquireP50Ms }) => acquireP50Ms))),
    timesSingle: round(median(courses.map(({ p50Ms }, repeat) => p50Ms / single[repeat].p50Ms))),
  }
}

function describe({
  name,
  names,
  delayMs,
  p50Ms,
  p99Ms,
  acquireP50Ms,
  cpuMicrosPerOp,
  timesSingle,
}: QuorumRow): string {
  return `×${names} ${name}, ${delayMs} ms away: p50 ${p50Ms} ms (acquire ${acquireP50Ms}), p99 ${p99Ms} ms, ${cpuMicrosPerOp} µs, ${timesSingle} × one`
}
