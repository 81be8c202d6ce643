/** Clients that all want one name: handed over from one to the next until each has had it once. */
import type { LockDriver } from 'latchkey/locks'
import { counted } from '../counted.js'
import { Quantiles } from '../quantiles.js'
import { type Terms, World } from '../world.js'

/** All have asked for it by then. */
const ARRIVAL_MS = 300
const HOLD_MS = 1
const PATIENCE_MS = 3_600_000

export interface ContendedRow {
  /** From the call of a release until the next one's `acquire` has returned. */
  readonly handOver: Quantiles
  /** From the first release until all have had it. */
  readonly allMs: number
  /** While all were waiting, of all servers together. */
  readonly waitingRequestsPerSecond: number
  /** Of all servers together, over the whole run. */
  readonly requestsPerHandOver: number
  /** Of each server's time, from the first release on. */
  readonly busyShare: number
  /** Of the claims that found the lock free at one server at least, those that won no majority. */
  readonly splitShare: number
  /** In the order in which they had asked; by how many later ones somebody was overtaken. */
  readonly overtakenMost: number
}

export async function contended(terms: Terms, clients: number): Promise<ContendedRow> {
  const world = new World(terms)
  const votes = new Votes(terms.servers)
  const options = terms.quorum ? { wrap: (driver: LockDriver) => votes.counting(driver) } : {}
  const [first, ...others] = world.addClients(clients + 1, options)
  const nothing = new Quantiles()
  // Everybody has a connection, and has asked its servers how they are.
  await world.run(
    Promise.all(others.map(async (client) => (await client.acquire(`own:${client.machine.who}`, nothing)).release())),
  )
  const held = await world.run(first.acquire('wanted', nothing))
  const handOver = new Quantiles()
  const order: number[] = []
  let releasedAt = 0
  let holders = 1
  votes.clear()
  const begin = { ...snapshot(world) }
  const play = async (client: (typeof others)[number], nth: number) => {
    await world.sleep((ARRIVAL_MS * (nth + client.random())) / clients)
    const lock = await client.acquire('wanted', nothing, PATIENCE_MS)
    if (++holders > 1) throw new Error('two hold it')
    handOver.add(world.now - releasedAt)
    order.push(nth)
    await world.sleep(HOLD_MS)
    holders--
    releasedAt = world.now
    await client.release(lock, nothing)
  }
  const all = Promise.all(others.map(play))
  await world.run(world.sleep(ARRIVAL_MS))
  const asked = snapshot(world)
  await world.run(world.sleep(ARRIVAL_MS))
  const waited = snapshot(world)
  holders--
  releasedAt = world.now
  await world.run(Promise.all([held.release(), all]))
  const end = snapshot(world)
  await world.close()
  return {
    handOver,
    allMs: end.now - waited.now,
    waitingRequestsPerSecond: ((waited.arrived - asked.arrived) / ARRIVAL_MS) * 1000,
    requestsPerHandOver: (end.arrived - begin.arrived) / clients,
    busyShare: (end.busyMs - waited.busyMs) / (end.now - waited.now) / terms.servers,
    splitShare: votes.splitShare(),
    overtakenMost: overtakenMost(order),
  }
}

function snapshot({ now, arrived, busyMs }: World) {
  return { now, arrived, busyMs }
}

/** Who asked as the nth, and got it as the mth: by how many of those who had asked later. */
export function overtakenMost(order: readonly number[]): number {
  let most = 0
  for (const [place, nth] of order.entries()) {
    let overtakers = 0
    for (let before = 0; before < place; before++) if (order[before] > nth) overtakers++
    most = Math.max(most, overtakers)
  }
  return most
}

/** How many servers each claim has won. */
class Votes {
  readonly #needed: number
  readonly #byOwner = new Map<string, number>()

  constructor(servers: number) {
    this.#needed = (servers >> 1) + 1
  }

  clear(): void {
    this.#byOwner.clear()
  }

  counting(driver: LockDriver): LockDriver {
    return counted(
      driver,
      () => undefined,
      ({ holder: { owner } }, { status }) => {
        if (status === 'held') this.#byOwner.set(owner, (this.#byOwner.get(owner) ?? 0) + 1)
      },
    )
  }

  splitShare(): number {
    const counts = [...this.#byOwner.values()]
    return counts.length === 0 ? 0 : counts.filter((count) => count < this.#needed).length / counts.length
  }
}
