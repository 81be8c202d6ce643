import { join } from 'node:path'
import { Remote } from '../support/remote.js'
import { startMemcached } from '../support/servers.js'
import { type Span, wasDisturbed } from '../support/span.js'
import { inTurns } from '../support/turns.js'
import { type Cell, cellName, cellsToRun } from './cells.js'
import { type Contender, contenders } from './contenders.js'
import { believedRatio, type CellResult, cellResult } from './measure.js'
import type { Order } from './worker.js'

export interface ClientResult {
  server: string
  threads: number
  cells: CellResult[]
}

export interface ClientOptions {
  quick: boolean
  log: (line: string) => void
}

interface Entrant {
  contender: Contender
  worker: Remote<Order, Span>
}

const serverCore = 0
const clientCore = 1
/** Two, so that the server can be at work on one connection while it reads another: both on one core. */
const threads = 2
const memoryMiB = 256
const quickRuns = { repeats: 3, durationMs: 150, warmUpMs: 100 }
const fullRuns = { repeats: 5, durationMs: 220, warmUpMs: 150 }
const workerScript = join(import.meta.dirname, 'worker.js')

export async function runClientPart(options: ClientOptions): Promise<ClientResult> {
  const server = await startMemcached({ threads, memoryMiB, core: serverCore })
  const entrants = contenders.map(entrant)
  try {
    const { pid, port } = server
    const cores = [serverCore, clientCore]
    for (const { worker } of entrants) await worker.order({ kind: 'open', server: { pid, port }, cores })
    return { server: server.name, threads, cells: await measureAll(entrants, options) }
  } finally {
    for (const { worker } of entrants) worker.stop()
    await server.stop()
  }
}

function entrant(contender: Contender, number: number): Entrant {
  return { contender, worker: new Remote(workerScript, contender.name, clientCore, [String(number)]) }
}

async function measureAll(entrants: readonly Entrant[], { quick, log }: ClientOptions): Promise<CellResult[]> {
  const cells: CellResult[] = []
  let stored = 0
  for (const cell of cellsToRun(quick)) {
    const { valueBytes } = cell
    if (valueBytes !== stored) for (const { worker } of entrants) await worker.order({ kind: 'store', valueBytes })
    stored = valueBytes
    const result = await measureCell(cell, entrants, quick)
    log(describe(result))
    cells.push(result)
  }
  return cells
}

async function measureCell(cell: Cell, entrants: readonly Entrant[], quick: boolean): Promise<CellResult> {
  const { repeats, durationMs, warmUpMs } = quick ? quickRuns : fullRuns
  const runners = entrants.filter(({ contender }) => !contender.leftOut?.(cell))
  let patience = runners.length
  for (const { worker } of runners) await worker.order({ kind: 'run', cell, durationMs: warmUpMs })
  const spans = await inTurns(runners, repeats, async ({ worker }) => {
    const run = async () => (await worker.order({ kind: 'run', cell, durationMs }))!
    let span = await run()
    while (wasDisturbed(span) && patience-- > 0) span = await run()
    return span
  })
  return cellResult(
    cell,
    runners.map(({ contender }, at) => ({ contender, spans: spans[at] })),
  )
}

function describe(result: CellResult): string {
  const { figures, duels } = result
  const [hardest] = duels
  const each = figures.map(
    ({ name, opsPerSecond, cpuMicrosPerOp, serverCpuShare, foreignCpuShare }) =>
      `${name} ${(opsPerSecond / 1000).toFixed(1)}k/s ${cpuMicrosPerOp} µs (server ${percent(serverCpuShare)}, others ${percent(foreignCpuShare)})`,
  )
  const { throughputRatio, cpuRatio, peer, distortedBy } = hardest
  const ratio = `× ${throughputRatio}, CPU × ${cpuRatio}, believed × ${believedRatio(hardest)}, of ${peer}`
  return `${cellName(result)}: ${ratio}, distorted by ${distortedBy}\n${each.map((line) => `           ${line}`).join('\n')}`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
