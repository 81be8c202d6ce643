/** One participant: what it has in hand, and the rounds that it makes. */
import { createLocks, type Environment, LeaseClock, type Locks, memcachedOver, quorumOf } from '../../locks/index.js'
import type { Algorithm, Belief, CacheHabits, Hands, Holding, Task } from '../algorithm.js'
import type { Outcome, Update } from '../history.js'
import type { Plan, Round } from '../plan.js'
import type { Beliefs } from './beliefs.js'
import { Chance, Draw } from './chance.js'
import { PopularCache } from './clients/cache.js'
import type { Site } from './clients/upstream.js'
import { SimulatedWire } from './clients/wire.js'
import type { Machine } from './machine.js'
import type { Network } from './network.js'
import { type Database, RemoteResource } from './resource.js'
import type { Host } from './servers/host.js'

/** Of the lock. */
export const LOCK_NAME = 'guarded'

export interface Surroundings {
  readonly plan: Plan
  readonly algorithm: Algorithm
  readonly network: Network
  readonly hosts: readonly Host[]
  readonly database: Database
  readonly beliefs: Beliefs
  readonly updates: Update[]
}

export class Participant {
  readonly who: number
  readonly machine: Machine
  readonly hands: Hands
  readonly #around: Surroundings
  readonly #site: Site
  readonly #random: Chance
  #cache: PopularCache | undefined
  #wires: readonly SimulatedWire[] = []
  #locks: Locks | undefined
  #isFinished = false
  #giveUp: AbortController | undefined
  #current: Omit<Update, 'to' | 'outcome'> | undefined

  constructor(around: Surroundings, machine: Machine) {
    const { plan, network, database } = around
    const chance = new Chance(plan.seed, Draw.Random, machine.who, 0)
    let connections = 0
    this.who = machine.who
    this.machine = machine
    this.#around = around
    this.#random = new Chance(plan.seed, Draw.Random, machine.who, 1)
    this.#site = { network, machine, random: () => chance.unit(), nextId: () => ++connections }
    this.hands = this.#makeHands(new RemoteResource(database, machine, plan.seed))
  }

  /** It has made all its rounds. */
  get isFinished(): boolean {
    return this.#isFinished
  }

  /** All its rounds, one after the other. */
  async run(rounds: readonly Round[]): Promise<void> {
    for (const [nth, { afterMs, workMs }] of rounds.entries()) {
      await this.#sleep(afterMs)
      await this.#change(`${this.who}.${nth}`, workMs)
    }
    this.#isFinished = true
  }

  /** Its caller gives up what is under way. */
  abort(): void {
    this.#giveUp?.abort(new Error('its caller has given up'))
  }

  /** What was under way when it was killed, or the run ended. */
  cut(): void {
    if (this.#current === undefined) return
    this.#around.updates.push({ ...this.#current, to: this.machine.now(), outcome: 'cut' })
    this.#current = undefined
  }

  async close(): Promise<void> {
    await this.#locks?.close()
    await Promise.all(this.#wires.map((wire) => wire.close()))
    await this.#cache?.close()
  }

  async #change(id: string, workMs: number): Promise<void> {
    const { algorithm, plan, updates } = this.#around
    const { ttlMs, waitMs } = plan
    const giveUp = new AbortController()
    const task: Task = { name: LOCK_NAME, id, ttlMs, waitMs, signal: giveUp.signal, work: () => this.#sleep(workMs) }
    const current = { id, who: this.who, from: this.machine.now() }
    this.#giveUp = giveUp
    this.#current = current
    let outcome: Outcome = 'failed'
    let why: string | undefined
    try {
      outcome = await algorithm.change(this.hands, task)
    } catch (error) {
      // That is nothing that could strike a user.
      if (error instanceof TypeError || error instanceof ReferenceError) throw error
      why = error instanceof Error ? error.message : String(error)
    }
    this.#giveUp = undefined
    this.#current = undefined
    updates.push({ ...current, to: this.machine.now(), outcome, ...(why !== undefined && { why }) })
  }

  #sleep(ms: number): Promise<void> {
    this.machine.act()
    return new Promise((resolve) => this.machine.timer(ms, resolve))
  }

  #makeHands(resource: RemoteResource): Hands {
    const { who, machine } = this
    const participant = this
    return {
      who,
      resource,
      get cache() {
        participant.#cache ??= new PopularCache(participant.#site, participant.#hostsInOrder(), participant.#habits())
        return participant.#cache
      },
      get locks() {
        participant.#locks ??= participant.#makeLocks()
        return participant.#locks
      },
      now: () => machine.wallMs(),
      sleep: (ms) => this.#sleep(ms),
      random: () => this.#random.unit(),
      believes: (holding: Holding = {}): Belief => this.#around.beliefs.begin(machine, holding),
    }
  }

  #makeLocks(): Locks {
    const environment = this.#environment()
    const { plan, algorithm } = this.#around
    const hosts = this.#hostsInOrder()
    const fleets = algorithm.quorum ? hosts.map((host) => [host]) : [hosts]
    this.#wires = fleets.map((fleet) => new SimulatedWire(this.#site, fleet))
    const drivers = this.#wires.map((wire) => memcachedOver(wire, { maxLease: plan.ttlMs }, environment.timer))
    const chance = { timer: environment.timer, random: environment.random, times: this.machine }
    const driver = algorithm.quorum ? quorumOf(drivers, undefined, chance) : drivers[0]
    return createLocks(driver, { label: 'torture' }, environment)
  }

  #environment(): Environment {
    const { machine, who } = this
    const { seed } = this.#around.plan
    const chance = new Chance(seed, Draw.Random, who, 2)
    const owners = new Chance(seed, Draw.Owner, who)
    return {
      clock: new LeaseClock(machine),
      wallMs: () => machine.wallMs(),
      timer: (ms, run) => machine.timer(ms, run),
      random: () => chance.unit(),
      owner: () => Array.from({ length: 4 }, () => hexOf(owners.unit())).join(''),
      host: `machine-${who}`,
      pid: 100 + who,
    }
  }

  #habits(): CacheHabits {
    const { algorithm, plan } = this.#around
    return { ...algorithm.habits, ...(plan.fault === 'retry' && { retries: true }) }
  }

  /** Everybody else has the list in another order, where that is the fault. */
  #hostsInOrder(): readonly Host[] {
    const { hosts, plan } = this.#around
    if (plan.fault !== 'lists') return hosts
    const first = this.who % hosts.length
    return [...hosts.slice(first), ...hosts.slice(0, first)]
  }
}

function hexOf(chance: number): string {
  return Math.floor(chance * 2 ** 32)
    .toString(16)
    .padStart(8, '0')
}
