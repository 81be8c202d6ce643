/** One process with the real locks, on a simulated connection to each server. */
import type { Lock, LockDriver } from 'latchkey/locks'
import { createLocks, LeaseClock, type Locks, memcachedOver, quorumOf } from '#dist/locks/index.js'
import { Chance, Draw } from '#dist/torture/simulation/chance.js'
import type { Site } from '#dist/torture/simulation/clients/upstream.js'
import { SimulatedWire } from '#dist/torture/simulation/clients/wire.js'
import type { Machine } from '#dist/torture/simulation/machine.js'
import type { Quantiles } from './quantiles.js'
import type { World } from './world.js'

export interface ClientOptions {
  /** What is done to each server's driver before locks are made of it. */
  readonly wrap?: (driver: LockDriver, server: number) => LockDriver
}

export const TTL_MS = 30_000

export class SimulatedClient {
  readonly machine: Machine
  readonly locks: Locks
  readonly #world: World
  readonly #chance: Chance
  readonly #wires: readonly SimulatedWire[]

  constructor(world: World, machine: Machine, { wrap = (driver) => driver }: ClientOptions = {}) {
    const { network, hosts, terms } = world
    const { seed, quorum } = terms
    const chance = new Chance(seed, Draw.Random, machine.who)
    const timer = (ms: number, run: () => void) => machine.timer(ms, run)
    const random = () => chance.unit()
    let connections = 0
    const site: Site = { network, machine, random, nextId: () => ++connections }
    this.machine = machine
    this.#world = world
    this.#chance = chance
    this.#wires = (quorum ? hosts.map((host) => [host]) : [hosts]).map((fleet) => new SimulatedWire(site, fleet))
    const drivers = this.#wires.map((wire, server) => wrap(memcachedOver(wire, { maxLease: '1m' }, timer), server))
    const driver = quorum ? quorumOf(drivers, undefined, { timer, random, times: machine }) : drivers[0]
    this.locks = createLocks(
      driver,
      { ttl: TTL_MS, label: 'scale' },
      {
        clock: new LeaseClock(machine),
        wallMs: () => machine.wallMs(),
        timer,
        random,
        owner: ownersOf(new Chance(seed, Draw.Owner, machine.who)),
        host: `client-${machine.who}`,
        pid: 100,
      },
    )
  }

  /** Acquires it, and tells how long that took. */
  async acquire(name: string, took: Quantiles, waitMs = 0): Promise<Lock> {
    const from = this.#world.now
    const lock = await this.locks.acquire(name, { wait: waitMs })
    took.add(this.#world.now - from)
    return lock
  }

  async release(lock: Lock, took: Quantiles): Promise<void> {
    const from = this.#world.now
    const outcome = await lock.release()
    if (outcome !== 'released') throw new Error(`${lock.name} was ${outcome} when it was to be released`)
    took.add(this.#world.now - from)
  }

  /** From 0, below 1. */
  random(): number {
    return this.#chance.unit()
  }

  async close(): Promise<void> {
    await this.locks.close()
    await Promise.all(this.#wires.map((wire) => wire.close()))
  }
}

function ownersOf(chance: Chance): () => string {
  const word = () =>
    Math.floor(chance.unit() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  return () => word() + word() + word() + word()
}
