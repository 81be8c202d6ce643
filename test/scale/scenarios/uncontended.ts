/** Clients that take locks which nobody holds, one after the other, with pauses between. */
import { Quantiles } from '../quantiles.js'
import { type Terms, World } from '../world.js'

export interface UncontendedOptions {
  readonly clients: number
  /** In the middle, between a release and the next acquire of a client. */
  readonly pauseMs: number
  /** So many locks or more are measured, of all clients together. */
  readonly locks: number
}

export interface UncontendedRow {
  readonly acquire: Quantiles
  readonly release: Quantiles
  readonly locksPerSecond: number
  readonly requestsPerLock: number
  /** Of each server's time, the work that arrives: more than 1 cannot last. */
  readonly busyShare: number
  readonly connectionsAServer: number
}

type Client = World['clients'][number]

/** Until the pace is that of many clients that know nothing of each other. */
const SETTLE_MS = 300
const LEAST_MS = 300

export async function uncontended(
  terms: Terms,
  { clients, pauseMs, locks }: UncontendedOptions,
): Promise<UncontendedRow> {
  const world = new World(terms)
  const crew = world.addClients(clients)
  const [acquire, release, nothing] = [new Quantiles(), new Quantiles(), new Quantiles()]
  const once = async (client: Client, name: string, isMeasured: boolean) => {
    const lock = await client.acquire(name, isMeasured ? acquire : nothing)
    await client.release(lock, isMeasured ? release : nothing)
  }
  const names = world.namesOnAll()
  // Connections are opened, and servers asked how they are.
  const greet = async (client: Client) => {
    for (const name of names) await client.locks.explain(name)
  }
  await world.run(Promise.all(crew.map(greet)))
  const from = world.now + SETTLE_MS
  const until = from + Math.max(LEAST_MS, (locks / clients) * pauseMs)
  const play = async (client: Client) => {
    for (let nth = 0; ; nth++) {
      await world.sleep(-Math.log(1 - client.random()) * pauseMs)
      if (world.now >= until) return
      await once(client, `${client.machine.who}:${nth}`, world.now >= from)
    }
  }
  const all = Promise.all(crew.map(play))
  await world.run(world.sleep(SETTLE_MS))
  const { arrived, busyMs } = world
  await world.run(world.sleep(until - from))
  const row = {
    requestsPerLock: (world.arrived - arrived) / acquire.count,
    locksPerSecond: (acquire.count / (until - from)) * 1000,
    busyShare: (world.busyMs - busyMs) / (until - from) / terms.servers,
    connectionsAServer: Math.max(...world.hosts.map(({ connectionsMost }) => connectionsMost)),
  }
  await world.run(all)
  await world.close()
  return { ...row, acquire, release }
}
