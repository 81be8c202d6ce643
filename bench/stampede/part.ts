import { join } from 'node:path'
import { Remote } from '../support/remote.js'
import { type Contestants, type RunningServer, withBoth } from '../support/servers.js'
import { type Rush, type StampedeRow, stampedeRow } from './measure.js'
import type { Order } from './worker.js'

export interface StampedeOptions {
  quick: boolean
  contestants: Contestants
  log: (line: string) => void
}

type Worker = Remote<Order, Rush>

const processes = 4
const callers = 200
const computeMs = 100
/** Time for the order to reach all processes, so that they start together. */
const headStartMs = 50
const workerScript = join(import.meta.dirname, 'worker.js')

export async function runStampedePart(options: StampedeOptions): Promise<StampedeRow[]> {
  const rounds = options.quick ? 5 : 30
  return withBoth(options.contestants, { threads: 2, memoryMiB: 64 }, async (...servers) => {
    const rows: StampedeRow[] = []
    for (const server of servers) {
      const row = await stampedes(server, rounds)
      options.log(
        `${server.name}: computed ${row.computedMax} × at most, last caller after ${row.lastMsMedian} ms (at most ${row.lastMsMax}), ${row.failedRounds} of ${rounds} rounds failed`,
      )
      rows.push(row)
    }
    return rows
  })
}

async function stampedes(server: RunningServer, rounds: number): Promise<StampedeRow> {
  const workers = Array.from(
    { length: processes },
    (_, at): Worker => new Remote(workerScript, `process ${at}`, undefined),
  )
  try {
    await Promise.all(workers.map((worker) => worker.order({ kind: 'open', port: server.port })))
    const seen: Rush[][] = []
    while (seen.length < rounds) seen.push(await stampede(workers, `cold:${seen.length}`))
    return stampedeRow({ server: server.name, processes, callers, computeMs }, seen)
  } finally {
    for (const worker of workers) worker.stop()
  }
}

async function stampede(workers: readonly Worker[], key: string): Promise<Rush[]> {
  const startsAt = Date.now() + headStartMs
  const order: Order = { kind: 'rush', key, callers: callers / processes, computeMs, startsAt }
  return Promise.all(workers.map(async (worker) => (await worker.order(order))!))
}
