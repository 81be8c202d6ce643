/** Locks that are all held at once, by clients that do nothing else, and are renewed. */
import type { Lock } from 'latchkey/locks'
import { TTL_MS } from '../client.js'
import { Quantiles } from '../quantiles.js'
import { type Terms, World } from '../world.js'

export interface HeldOptions {
  readonly clients: number
  readonly locksAClient: number
  /** Acquired evenly over so long. */
  readonly overMs: number
}

export interface HeldRow {
  readonly locks: number
  readonly acquire: Quantiles
  /** Of all servers together, over the last lease. */
  readonly requestsPerSecond: number
  readonly requestsPerRenewal: number
  /** Of each server's time. */
  readonly busyShare: number
  /** In the busiest hundredth of a second of any server, beside the middle of all. */
  readonly burst: number
  readonly lost: number
}

/** Each lock is renewed so often while it is watched: a lease is renewed after a third of it. */
const RENEWALS = 3

export async function held(terms: Terms, { clients, locksAClient, overMs }: HeldOptions): Promise<HeldRow> {
  const world = new World(terms)
  const crew = world.addClients(clients)
  const acquire = new Quantiles()
  const take = async (client: (typeof crew)[number], nth: number): Promise<Lock> => {
    await world.sleep(overMs * ((nth + client.random()) / locksAClient))
    return client.acquire(`${client.machine.who}:${nth}`, acquire)
  }
  const taking = crew.flatMap((client) => Array.from({ length: locksAClient }, (_, nth) => take(client, nth)))
  const locks = await world.run(Promise.all(taking))
  const { arrived, busyMs } = world
  for (const host of world.hosts) host.arrivedMost = 0
  await world.run(world.sleep(TTL_MS))
  const [requests, busy] = [world.arrived - arrived, world.busyMs - busyMs]
  const lost = locks.filter(({ state }) => state !== 'held').length
  const most = Math.max(...world.hosts.map(({ arrivedMost }) => arrivedMost))
  world.abandon()
  return {
    locks: locks.length,
    acquire,
    requestsPerSecond: (requests / TTL_MS) * 1000,
    requestsPerRenewal: requests / locks.length / RENEWALS,
    busyShare: busy / TTL_MS / terms.servers,
    burst: most / (((requests / TTL_MS) * 10) / terms.servers),
    lost,
  }
}
