/** A quorum of which one server is slow, dead or silent. */
import type { LockDriver } from 'latchkey/locks'
import { counted } from '../counted.js'
import { Quantiles } from '../quantiles.js'
import { type Terms, World } from '../world.js'

export type Ailment = 'none' | 'ten times as slow' | 'dead' | 'silent'

export interface AilingRow {
  readonly acquire: Quantiles
  readonly release: Quantiles
  readonly failed: number
  /** Asked of the ill server's driver, whether anything is sent or not: what is taken back in the background included. */
  readonly callsPerLock: number
  /** In the busiest hundredth of a second after it is well again, to it alone, beside the middle before it was ill. */
  readonly returnBurst: number
  /** From then on. */
  readonly afterwards: Quantiles
}

export interface AilingOptions {
  readonly ailment: Ailment
  readonly clients: number
  readonly pauseMs: number
  readonly forMs: number
}

/** What is slow takes as long as ten such servers for everything. */
const SLOW = 10
const AFTER_MS = 2000

export async function ailing(terms: Terms, { ailment, clients, pauseMs, forMs }: AilingOptions): Promise<AilingRow> {
  const world = new World({ ...terms, quorum: true })
  let calls = 0
  const wrap = (driver: LockDriver, server: number) => (server === 0 ? counted(driver, () => calls++) : driver)
  const crew = world.addClients(clients, { wrap })
  const [ill] = world.hosts
  const nothing = new Quantiles()
  let failed = 0
  const play = async (client: (typeof crew)[number], endsAt: number, acquire: Quantiles, release: Quantiles) => {
    for (let nth = 0; world.now < endsAt; nth++) {
      await world.sleep(-Math.log(1 - client.random()) * pauseMs)
      try {
        await client.release(await client.acquire(`${client.machine.who}:${nth}`, acquire), release)
      } catch {
        failed++
      }
    }
  }
  const all = (ms: number, acquire = nothing, release = nothing) =>
    world.run(Promise.all(crew.map((client) => play(client, world.now + ms, acquire, release))))
  await all(1000)
  const usual = ill.arrived
  await all(1000)
  const perSecond = ill.arrived - usual
  const { cost } = ill
  if (ailment === 'ten times as slow') ill.cost = { packetMs: cost.packetMs * SLOW, furtherMs: cost.furtherMs * SLOW }
  if (ailment === 'dead') ill.restart(1e9)
  if (ailment === 'silent') ill.pause(1e9)
  await all(1000)
  failed = 0
  const [acquire, release] = [new Quantiles(), new Quantiles()]
  calls = 0
  await all(forMs, acquire, release)
  const callsPerLock = calls / acquire.count
  const failedThen = failed
  ill.heal()
  ill.cost = cost
  ill.arrivedMost = 0
  const afterwards = new Quantiles()
  await all(AFTER_MS, afterwards, nothing)
  const row = {
    acquire,
    release,
    failed: failedThen,
    callsPerLock,
    returnBurst: (ill.arrivedMost * 100) / perSecond,
    afterwards,
  }
  await world.close()
  return row
}
