/** One contender in a process of its own: opens its client, stores its items, and runs cells as its parent orders. */
import { keepBusy } from '../support/keep-busy.js'
import { obeyOrders } from '../support/remote.js'
import { type Place, type Span, takeSpan } from '../support/span.js'
import type { Cell } from './cells.js'
import { contenders } from './contenders.js'
import { callFor, storeAll } from './loops.js'
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
let place: Place

async function obey(order: Order): Promise<Span | undefined> {
  switch (order.kind) {
    case 'open':
      place = { serverPid: order.server.pid, cores: order.cores }
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

function run(cell: Cell, durationMs: number): Promise<Span> {
  return takeSpan(place, () => keepBusy(callFor(cell, subject, work, values), cell.concurrency, durationMs))
}

obeyOrders(obey)
