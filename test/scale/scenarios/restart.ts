/** All servers are gone at once and come back: all clients connect, ask how the servers are, and want their locks again. */
import { Quantiles } from '../quantiles.js'
import { type Terms, World } from '../world.js'

export interface RestartRow {
  /** From the moment when the servers are back until a client has its next lock. */
  readonly again: Quantiles
  /** To one server, in its busiest hundredth of a second, and from all clients together, each client's share. */
  readonly busiest10Ms: number
  readonly requestsAClient: number
  readonly connectionsAServer: number
}

const DOWN_MS = 500
const PATIENCE_MS = 3_600_000

export async function restart(terms: Terms, clients: number): Promise<RestartRow> {
  const world = new World(terms)
  const crew = world.addClients(clients)
  const nothing = new Quantiles()
  const nameOf = (client: (typeof crew)[number]) => `own:${client.machine.who}`
  const locks = await world.run(Promise.all(crew.map((client) => client.acquire(nameOf(client), nothing))))
  await world.run(Promise.all(locks.map((lock) => lock.release())))
  for (const host of world.hosts) host.restart(DOWN_MS)
  const backAt = world.now + DOWN_MS
  for (const host of world.hosts) host.arrivedMost = 0
  const { arrived } = world
  const again = new Quantiles()
  const play = async (client: (typeof crew)[number]) => {
    // They do not all notice at once: each wants its lock at some moment of the outage.
    await world.sleep(DOWN_MS * client.random())
    const lock = await client.acquire(nameOf(client), nothing, PATIENCE_MS)
    again.add(world.now - backAt)
    await client.release(lock, nothing)
  }
  await world.run(Promise.all(crew.map(play)))
  const row = {
    again,
    busiest10Ms: Math.max(...world.hosts.map(({ arrivedMost }) => arrivedMost)),
    requestsAClient: (world.arrived - arrived) / clients,
    connectionsAServer: Math.max(...world.hosts.map(({ connectionsMost }) => connectionsMost)),
  }
  await world.close()
  return row
}
