/** The questions, and what is simulated for each. */
import { heapPerLock } from './memory.js'
import { ailing } from './scenarios/ailing.js'
import { contended } from './scenarios/contended.js'
import { held } from './scenarios/held.js'
import { restart } from './scenarios/restart.js'
import { uncontended } from './scenarios/uncontended.js'
import { count, ms, percent, type Table, threeOf } from './tables.js'
import type { Terms } from './world.js'

export type Section = (seed: number, log: (line: string) => void) => Promise<Table>

type Where = Omit<Terms, 'seed'>

const onLatchkey: Where = { home: 'latchkey', servers: 1 }
const onMemcached: Where = { home: 'memcached', servers: 1 }
const onLatchkeys: Where = { home: 'latchkey', servers: 3, quorum: true }
const onMemcacheds: Where = { home: 'memcached', servers: 3, quorum: true }
const onFive: Where = { home: 'latchkey', servers: 5, quorum: true }

function nameOf({ home, servers, quorum }: Where): string {
  const kind = home === 'latchkey' ? 'Latchkey' : 'memcached'
  return quorum ? `quorum of ${servers}, ${kind}` : kind
}

/** One row for each of the cases, told as it is measured. */
async function tableOf<Case>(
  title: string,
  heads: readonly string[],
  cases: readonly Case[],
  rowOf: (one: Case) => Promise<string[]>,
  log: (line: string) => void,
): Promise<Table> {
  const rows: string[][] = []
  for (const one of cases) {
    const row = await rowOf(one)
    rows.push(row)
    log(row.join(' | '))
  }
  return { title, heads, rows }
}

function pairs<One, Other>(ones: readonly One[], others: readonly Other[]): (readonly [One, Other])[] {
  return ones.flatMap((one) => others.map((other) => [one, other] as const))
}

/** Between two locks of a client. */
const PAUSE_MS = 100

const clients: Section = (seed, log) =>
  tableOf(
    'More clients, the same servers',
    [
      'locks',
      'clients',
      'acquire ms',
      'release ms',
      'locks/s',
      'requests a lock',
      'load of a server',
      'connections a server',
    ],
    pairs([onLatchkey, onMemcached, onLatchkeys, onMemcacheds, onFive], [10, 100, 1000, 5000]),
    async ([where, many]) => {
      const row = await uncontended({ seed, ...where }, { clients: many, pauseMs: PAUSE_MS, locks: 2000 })
      return [
        ...[nameOf(where), count(many), threeOf(row.acquire), threeOf(row.release), count(row.locksPerSecond)],
        ...[row.requestsPerLock.toFixed(1), percent(row.busyShare), count(row.connectionsAServer)],
      ]
    },
    log,
  )

const servers: Section = (seed, log) =>
  tableOf(
    'More servers, and as many more clients',
    [
      'locks',
      'servers',
      'clients',
      'acquire ms',
      'release ms',
      'locks/s',
      'load of a server',
      'connections, busiest server',
    ],
    pairs([onLatchkey, onMemcached], [3, 30, 300]),
    async ([where, many]) => {
      const terms = { seed, ...where, servers: many }
      const row = await uncontended(terms, { clients: many, pauseMs: PAUSE_MS / 10, locks: 2000 })
      return [
        ...[nameOf(where), count(many), count(many), threeOf(row.acquire), threeOf(row.release)],
        ...[count(row.locksPerSecond), percent(row.busyShare), count(row.connectionsAServer)],
      ]
    },
    log,
  )

const contention: Section = (seed, log) =>
  tableOf(
    'Many want one lock',
    [
      'locks',
      'waiting',
      'hand-over ms',
      'all had it after ms',
      'requests/s while they wait',
      'requests a hand-over',
      'split votes',
      'overtaken by at most',
    ],
    pairs([onLatchkey, onMemcached, onLatchkeys, onMemcacheds], [1, 10, 100, 1000]),
    async ([where, many]) => {
      const row = await contended({ seed, ...where }, many)
      return [
        ...[nameOf(where), count(many), threeOf(row.handOver), ms(row.allMs), count(row.waitingRequestsPerSecond)],
        ...[count(row.requestsPerHandOver), where.quorum ? percent(row.splitShare) : '', count(row.overtakenMost)],
      ]
    },
    log,
  )

const holdings: readonly (readonly [Where, number, number])[] = [
  [{ ...onLatchkey, servers: 100 }, 100, 100],
  [{ ...onLatchkey, servers: 100 }, 100, 1000],
  [{ ...onLatchkey, servers: 100 }, 100, 10_000],
  [{ ...onMemcached, servers: 100 }, 100, 100],
  [onLatchkeys, 100, 100],
]

const holding: Section = async (seed, log) => {
  const heap = { one: await heapPerLock(1), three: await heapPerLock(3) }
  return tableOf(
    'Many locks held at once',
    [
      'locks',
      'servers',
      'held',
      'clients',
      'requests/s',
      'requests a renewal',
      'load of a server',
      'busiest 10 ms',
      'lost',
      'client heap a lock',
    ],
    holdings,
    async ([where, many, each]) => {
      const row = await held({ seed, ...where }, { clients: many, locksAClient: each, overMs: 10_000 })
      return [
        ...[nameOf(where), count(where.servers), count(row.locks), count(many), count(row.requestsPerSecond)],
        ...[row.requestsPerRenewal.toFixed(2), percent(row.busyShare), `${count(row.burst)} × the middle`],
        ...[count(row.lost), `${count(where.quorum ? heap.three : heap.one)} bytes`],
      ]
    },
    log,
  )
}

const illness: Section = (seed, log) =>
  tableOf(
    'One server of a quorum is ill, 200 locks a second',
    [
      'servers',
      'one is',
      'acquire ms',
      'release ms',
      'failed',
      'asked of it a lock',
      'busiest 10 ms when it is back',
      'acquire ms when it is back',
    ],
    pairs([onLatchkeys, onFive], ['none', 'ten times as slow', 'dead', 'silent'] as const),
    async ([where, ailment]) => {
      const row = await ailing({ seed, ...where }, { ailment, clients: 20, pauseMs: PAUSE_MS, forMs: 10_000 })
      return [
        ...[
          count(where.servers),
          ailment === 'none' ? 'as the others' : ailment,
          threeOf(row.acquire),
          threeOf(row.release),
        ],
        ...[
          count(row.failed),
          count(row.callsPerLock),
          `${count(row.returnBurst)} × the middle`,
          threeOf(row.afterwards),
        ],
      ]
    },
    log,
  )

const restarts: Section = (seed, log) =>
  tableOf(
    'All servers restart at once',
    [
      'locks',
      'clients',
      'until the first has a lock again ms',
      'from the first to the last ms',
      'requests to one server in its busiest 10 ms',
      'requests a client',
    ],
    pairs([onLatchkey, onMemcached, onLatchkeys], [10, 100, 1000]),
    async ([where, many]) => {
      const { again, busiest10Ms, requestsAClient } = await restart({ seed, ...where }, many)
      const first = again.at(0)
      return [nameOf(where), count(many), ms(first), ms(again.most - first), count(busiest10Ms), count(requestsAClient)]
    },
    log,
  )

export const sections = { clients, servers, contention, holding, illness, restarts } satisfies Record<string, Section>
