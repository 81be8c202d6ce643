/** The load generator, a process of its own on a core of its own, which obeys its parent. */
import { obeyOrders } from '../support/remote.js'
import type { Case, Wire } from './cases.js'
import { Load, type Span, type Target } from './load.js'
import { loadingPool, type Pool, poolFor } from './requests.js'

export type Order =
  | { kind: 'connect'; targets: Target[]; cores: number[]; wire: Wire }
  /** Stores every key with values of this size, on all servers. */
  | { kind: 'store'; valueBytes: number }
  /** Builds the batches of a case, and checks the replies of all servers to some of them. */
  | { kind: 'prepare'; one: Case }
  | { kind: 'run'; target: number; durationMs: number }

const checkedBatches = 200
const loads: Load[] = []
let wire: Wire = 'text'
let pool: Pool | undefined

async function obey(order: Order): Promise<Span | undefined> {
  switch (order.kind) {
    case 'connect':
      wire = order.wire
      for (const target of order.targets) loads.push(await Load.open(target, order.cores, wire))
      return undefined
    case 'store':
      for (const load of loads) await load.once(loadingPool(wire, order.valueBytes), true)
      return undefined
    case 'prepare':
      pool = poolFor(order.one)
      for (const load of loads) await load.once(pool, true, checkedBatches)
      return undefined
    case 'run':
      return loads[order.target].run(pool!, order.durationMs)
  }
}

obeyOrders(obey)
