/** What connections cost that say nothing: CPU time and memory of either server, with none and with five thousand. */
import { setTimeout as sleep } from 'node:timers/promises'
import { processCpuNs } from '../support/cpu.js'
import { mebibyte, residentBytes } from '../support/memory.js'
import { type RunningServer, type StartServer, withBoth } from '../support/servers.js'
import { round } from '../support/statistics.js'
import { closeAll, openIdle } from './connections.js'

export interface IdleRow {
  server: string
  tls: boolean
  connections: number
  /** Shares of one core. */
  cpuShareEmpty: number
  cpuShareIdle: number
  residentEmptyMiB: number
  residentIdleMiB: number
  kibibytesAConnection: number
}

export interface IdleOptions {
  quick: boolean
  contestants: { latchkey: StartServer; memcached: StartServer }
  log: (line: string) => void
}

const threads = 4
const memoryMiB = 64
/** Let it do what it puts off: collect garbage, give memory back. */
const settleMs = 3000

export async function runIdlePart(options: IdleOptions): Promise<IdleRow[]> {
  const connections = options.quick ? 500 : 5000
  const rows: IdleRow[] = []
  for (const tls of [false, true]) {
    const how = { threads, memoryMiB, tls, connections: connections + 100 }
    await withBoth(options.contestants, how, async (...servers) => {
      for (const server of servers) {
        const row = await measure(server, tls, connections, options.quick ? 3000 : 20_000)
        options.log(describe(row))
        rows.push(row)
      }
    })
  }
  return rows
}

async function measure(server: RunningServer, tls: boolean, count: number, spanMs: number): Promise<IdleRow> {
  const empty = await reading(server, spanMs)
  const sockets = await openIdle(server.port, tls, count)
  const idle = await reading(server, spanMs)
  await closeAll(sockets)
  return {
    server: server.name,
    tls,
    connections: count,
    cpuShareEmpty: empty.cpuShare,
    cpuShareIdle: idle.cpuShare,
    residentEmptyMiB: round(empty.resident / mebibyte),
    residentIdleMiB: round(idle.resident / mebibyte),
    kibibytesAConnection: round((idle.resident - empty.resident) / 1024 / count),
  }
}

async function reading({ pid }: RunningServer, spanMs: number): Promise<{ cpuShare: number; resident: number }> {
  await sleep(settleMs)
  const [wall, cpu] = [process.hrtime.bigint(), processCpuNs(pid)]
  await sleep(spanMs)
  const cpuShare = (processCpuNs(pid) - cpu) / Number(process.hrtime.bigint() - wall)
  return { cpuShare, resident: residentBytes(pid) }
}

function describe(row: IdleRow): string {
  const share = (of: number) => `${(of * 100).toFixed(2)} %`
  return (
    `${row.server}${row.tls ? ', TLS' : ''}: ${row.connections} idle connections, ${share(row.cpuShareIdle)} of a core ` +
    `(none: ${share(row.cpuShareEmpty)}), ${row.residentIdleMiB} MiB (none: ${row.residentEmptyMiB}), ` +
    `${row.kibibytesAConnection} KiB each`
  )
}
