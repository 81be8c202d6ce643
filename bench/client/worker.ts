/** One contender in a process of its own: opens its client, stores its items, and runs cells as its parent orders. */
import { coreBusyNs, processCpuNs } from '../support/cpu.js'
import { obeyOrders } from '../support/remote.js'
import { percentile } from '../support/statistics.js'
import type { Cell } from './cells.js'
import { contenders } from './contenders.js'
import { callFor, keepBusy, storeAll } from './loops.js'
import type { Span } from './measure.js'
import type { Subject } from './subjects/subject.js'
import { Values, Workload } from './workload.js'

export type Order =
  | { kind: 'open'; server: { pid: number; port: number }; cores: number[] }
  /** Stores every item with values of this size, which the runs that follow expect. */
  | { kind: 'store'; valueBytes: number }
  | { kind: 'run'; cell: Cell; durationMs: number }

const number = Number(process.argv[2])
const contender = contenders[number]
const work = new Workload(`contender${number}`)
let subject: Subject
let values: Values
let serverPid: number
let cores: readonly number[]

async function obey(order: Order): Promise<Span | undefined> {
  switch (order.kind) {
    case 'open':
      serverPid = order.server.pid
      cores = order.cores
      subject = await (await contender.load()).open(order.server.port, contender)
      return undefined
    case 'store':
      values = new Values(contender.values, order.valueBytes)
      await storeAll(subject, work, values)
      return undefined
    case 'run':
      return run(order.cell, order.durationMs)
  }
}

async function run(cell: Cell, durationMs: number): Promise<Span> {
  const before = readings()
  const latenciesMs = await keepBusy(callFor(cell, subject, work, values), cell.concurrency, durationMs)
  const after = readings()
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

function readings() {
  return {
    clientNs: processCpuNs(process.pid),
    serverNs: processCpuNs(serverPid),
    busyNs: cores.reduce((sum, core) => sum + coreBusyNs(core), 0),
    wall: process.hrtime.bigint(),
  }
}

obeyOrders(obey)
