/** One process that takes and frees locks in all homes, in turn, as its parent orders. */
import { createLocks, type Locks, memcached, quorum } from 'latchkey/locks'
import { keepBusy } from '../support/keep-busy.js'
import { obeyOrders } from '../support/remote.js'
import { type Place, type Span, takeSpan } from '../support/span.js'
import { percentile } from '../support/statistics.js'

export type Order =
  /** Opens the next home: one server's, or that of a quorum. */
  | { kind: 'open'; ports: number[] }
  /** Acquire and release in the nth home, in so many loops that each have a name of their own. Answered with a `Course`. */
  | { kind: 'loop'; nth: number; loops: number; durationMs: number; place: Place }

export interface Course extends Span {
  acquireP50Ms: number
}

const opened: Locks[] = []

async function obey(order: Order): Promise<Course | undefined> {
  if (order.kind === 'loop') return loop(opened[order.nth], order.loops, order.durationMs, order.place)
  const servers = order.ports.map((port) => `127.0.0.1:${port}`)
  // They are new, and nobody has locked anything there before.
  const options = { servers, freshServers: 'trust' } as const
  const locks = createLocks(servers.length === 1 ? memcached(options) : quorum(options))
  opened.push(locks)
  await locks.inspect('opening')
  return undefined
}

async function loop(locks: Locks, loops: number, durationMs: number, place: Place): Promise<Course> {
  const acquiresMs: number[] = []
  const send = async (_turn: number, number: number) => {
    const startedAt = performance.now()
    const lock = await locks.acquire(`quorum:${process.pid}:${number}`)
    acquiresMs.push(performance.now() - startedAt)
    return lock.release()
  }
  const check = (_turn: number, outcome: string) => {
    if (outcome !== 'released') throw new Error(`a lock was ${outcome} when it was to be released`)
  }
  const span = await takeSpan(place, () => keepBusy({ send, check }, loops, durationMs))
  return { ...span, acquireP50Ms: percentile(Float64Array.from(acquiresMs).sort(), 50) }
}

obeyOrders(obey)
