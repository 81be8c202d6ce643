import type { Contestants } from '../support/servers.js'
import { round } from '../support/statistics.js'
import { contendersIn, type LockContender } from './contenders.js'
import { Crew, type Servers, serverOf, withServers } from './crew.js'
import type { Upkeep } from './worker.js'

export interface RenewingRow {
  name: string
  renewal: string
  locks: number
  ttlMs: number
  watchedMs: number
  /** Of one core. */
  clientCpuShare: number
  serverCpuShare: number
  /** The same with nothing held. */
  idleClientCpuShare: number
  idleServerCpuShare: number
  /** Locks that were not held any more at the end. */
  lost: number
}

const serverCore = 0
const clientCore = 1
const quickRun = { locks: 1000, ttlMs: 3000, watchedMs: 3000, idleMs: 500 }
/** Three rounds of a third of the lease. */
const fullRun = { locks: 10_000, ttlMs: 30_000, watchedMs: 30_000, idleMs: 10_000 }
/** Acquired at once: all of them in one instant would measure who times out. */
const batch = 500

/** A client that holds many locks and does nothing else. One contender after the other: each wants its cores to itself. */
export async function measureRenewing(contestants: Contestants, quick: boolean): Promise<RenewingRow[]> {
  return withServers(contestants, serverCore, async (servers) => {
    const rows: RenewingRow[] = []
    for (const contender of contendersIn('renewing')) rows.push(await watch(contender, servers, quick))
    return rows
  })
}

async function watch(contender: LockContender, servers: Servers, quick: boolean): Promise<RenewingRow> {
  const { locks, ttlMs, watchedMs, idleMs } = quick ? quickRun : fullRun
  const where = { size: 1, cores: [], core: clientCore }
  const crew = await Crew.open(contender, serverOf(contender, servers), { ttlMs }, where)
  try {
    const idle = await crew.one<Upkeep>({ kind: 'keep', durationMs: idleMs })
    for (let first = 0; first < locks; first += batch) await crew.one({ kind: 'hold', names: names(first) })
    const busy = await crew.one<Upkeep>({ kind: 'keep', durationMs: watchedMs })
    const { name, renewal } = contender
    return { name, renewal, locks, ttlMs, watchedMs, ...upkeepShares(busy, idle) }
  } finally {
    crew.stop()
  }
}

function names(first: number): string[] {
  return Array.from({ length: batch }, (_, at) => `kept:${first + at}`)
}

export function upkeepShares(busy: Upkeep, idle: Upkeep) {
  return {
    clientCpuShare: round(busy.clientCpuNs / busy.wallNs),
    serverCpuShare: round(busy.serverCpuNs / busy.wallNs),
    idleClientCpuShare: round(idle.clientCpuNs / idle.wallNs),
    idleServerCpuShare: round(idle.serverCpuNs / idle.wallNs),
    lost: busy.lost,
  }
}
