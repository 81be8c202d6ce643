/** A process that stands in several elections at once, one on each server, and tells what becomes of it. */
import { Redis } from 'ioredis'
import {
  type Candidate,
  createLocks,
  etcd,
  type LockDriver,
  type LockError,
  memcached,
  quorumOf,
  redis,
} from 'latchkey/locks'

/** From the test. */
export type Order = { do: 'stand'; at: readonly string[] } | { do: 'resign'; at: string } | { do: 'stop' }
/** To the test. `ms`: on the machine's monotonic clock. */
export type Report =
  | { is: 'standing' | 'stopped' }
  | { is: 'elected'; at: string; fence: string; ms: number }
  | { is: 'lost'; at: string; fence: string; code: string; ms: number }
  | { is: 'error'; at: string; error: string }

export const ELECTION = 'boss'

/** What an address begins with; the servers of a quorum are divided by commas. */
const drivers: Readonly<Record<string, (servers: string[]) => LockDriver>> = {
  etcd: (endpoints) => etcd({ endpoints }),
  redis: ([server]) => redis({ client: new Redis(`redis://${server}`, { lazyConnect: true }), freshServers: 'trust' }),
  memcached: (servers) => memcached({ servers, freshServers: 'trust' }),
  quorum: (servers) => quorumOf(servers.map((server) => drivers.memcached([server]))),
}

export function driverOfElection(address: string): LockDriver {
  const [kind, servers] = address.split('://', 2)
  return drivers[kind](servers.split(','))
}

if (process.send !== undefined) obey(process.argv[2])

function obey(label: string): void {
  const say = (report: Report) => process.send!(report)
  const candidates = new Map<string, Candidate>()
  process.on('message', async (order: Order) => {
    if (order.do === 'resign') candidates.get(order.at)!.resign()
    else if (order.do === 'stand') {
      for (const at of order.at) candidates.set(at, stand(at, label, say))
      say({ is: 'standing' })
    } else {
      await Promise.all(Array.from(candidates.values(), (candidate) => candidate.stop()))
      say({ is: 'stopped' })
    }
  })
  process.once('disconnect', () => process.exit())
}

const now = () => Number(process.hrtime.bigint()) / 1e6
const LOOK_MS = 10

function stand(at: string, label: string, say: (report: Report) => void): Candidate {
  // A process that gets no time learns late that it leads no more; by its clock it has known all along.
  let believedUntil = 0
  const candidate = createLocks(driverOfElection(at)).elect(ELECTION, {
    ttl: '2s',
    label,
    onElected: (leader) => {
      believedUntil = now() + leader.remainingMs()
      say({ is: 'elected', at, fence: `${leader.fence}`, ms: now() })
    },
    onLost: ({ code }, { fence }) =>
      say({ is: 'lost', at, fence: `${fence}`, code, ms: Math.min(now(), believedUntil) }),
    onError: (error) => say({ is: 'error', at, error: (error as LockError).code ?? String(error) }),
  })
  const look = () => {
    if (candidate.leader !== undefined) believedUntil = now() + candidate.leader.remainingMs()
  }
  setInterval(look, LOOK_MS).unref()
  return candidate
}
