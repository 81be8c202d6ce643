import type { Contestants } from '../support/servers.js'
import { contendersIn } from './contenders.js'
import { Crew, serverOf, withCrews, withServers } from './crew.js'
import { type HandOverRow, measureHandOvers } from './hand-over.js'
import { type HotRow, measureHot } from './hot.js'
import { measureRenewing, type RenewingRow } from './renewing.js'
import { measureUncontended, type UncontendedRow } from './uncontended.js'

export interface LocksResult {
  uncontended: UncontendedRow[]
  handOver: HandOverRow[]
  hot: HotRow[]
  renewing: RenewingRow[]
}

export interface LocksOptions {
  quick: boolean
  contestants: Contestants
  log: (line: string) => void
}

const terms = { ttlMs: 30_000 }
/** Processes of each contender, or threads where the locks are in shared memory; they roam over the cores. */
const crewSize = 4

export async function runLocksPart({ quick, contestants, log }: LocksOptions): Promise<LocksResult> {
  const logged = async <Row>(measuring: Promise<Row[]>, describe: (row: Row) => string): Promise<Row[]> => {
    const rows = await measuring
    for (const row of rows) log(describe(row))
    return rows
  }
  const uncontended = await logged(measureUncontended(contestants, terms, quick), describeUncontended)
  const contended = await withServers(contestants, undefined, (servers) =>
    withCrews(
      contendersIn('contended'),
      (contender) => Crew.open(contender, serverOf(contender, servers), terms, { size: crewSize, cores: [] }),
      async (crews) => ({
        // The first of the two warms the code of all contenders for the second, whose rounds are few.
        hot: await logged(measureHot(crews, quick), describeHot),
        handOver: await logged(measureHandOvers(crews, quick), describeHandOver),
      }),
    ),
  )
  const renewing = await logged(measureRenewing(contestants, quick), describeRenewing)
  return { uncontended, ...contended, renewing }
}

function describeUncontended({ names, name, opsPerSecond, cpuMicrosPerOp, p50Ms, p99Ms }: UncontendedRow): string {
  return `×${names} ${name}: ${opsPerSecond} a second, ${cpuMicrosPerOp} µs, p50 ${p50Ms} ms, p99 ${p99Ms} ms`
}

function describeHandOver({ waiters, name, p50Ms, p99Ms, inOrderShare, overtakenMax }: HandOverRow): string {
  return `${waiters} wait, ${name}: handed over in ${p50Ms} ms, p99 ${p99Ms} ms; ${inOrderShare} in order, overtaken by ${overtakenMax} at most`
}

function describeHot({ waiters, name, handOversPerSecond, acquiredPerSecond, ...row }: HotRow): string {
  return `${waiters} on one hot lock, ${name}: ${handOversPerSecond} hand-overs of ${acquiredPerSecond} acquisitions a second, ${row.fewestPerSecond} to ${row.mostPerSecond} a waiter`
}

function describeRenewing({
  locks,
  name,
  clientCpuShare,
  serverCpuShare,
  idleClientCpuShare,
  lost,
}: RenewingRow): string {
  return `${locks} held, ${name}: client ${clientCpuShare} of a core, server ${serverCpuShare}, idle ${idleClientCpuShare}; ${lost} lost`
}
