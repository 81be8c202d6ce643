/** One plan from its beginning to its end. */
import { setImmediate as breath } from 'node:timers/promises'
import type { Algorithm } from '../algorithm.js'
import { lockKey } from '../algorithms/index.js'
import type { Deed, History, Mark, Update } from '../history.js'
import type { Plan } from '../plan.js'
import { Beliefs } from './beliefs.js'
import { Draw, drawn } from './chance.js'
import { fatesOf, markIncident, prepare } from './incidents.js'
import { Machine } from './machine.js'
import { Network } from './network.js'
import { LOCK_NAME, Participant, type Surroundings } from './participant.js'
import { Database } from './resource.js'
import { hostsOf } from './servers/fleet.js'
import type { Host } from './servers/host.js'
import type { Item } from './servers/model-server.js'
import { VirtualTime } from './virtual-time.js'

/** When all is healed, whoever is not finished has so much time left. */
const FINISH_MS = 5000
/** What is under way, at the database and in the background, is over then, apart from leases. */
const SETTLE_MS = 2000
const CLOSE_MS = 60_000
/** Quartz is wrong by less. */
const DRIFT = 0.0004

export class Run {
  readonly #plan: Plan
  readonly #algorithm: Algorithm
  readonly #time = new VirtualTime()
  readonly #beliefs = new Beliefs()
  readonly #updates: Update[] = []
  readonly #marks: Mark[] = []
  readonly #deeds: Deed[] = []
  readonly #lockKey: string
  readonly #network: Network
  readonly #hosts: readonly Host[]
  readonly #around: Surroundings
  readonly #participants: readonly Participant[]
  readonly #whenKilled = new Map<Machine, () => void>()
  #ran: Machine | undefined
  #isOver = false

  constructor(plan: Plan, algorithm: Algorithm) {
    this.#plan = plan
    this.#algorithm = algorithm
    this.#lockKey = lockKey(algorithm, LOCK_NAME)
    const fates = fatesOf(plan, (incident) => this.#isStruck(incident))
    this.#network = new Network(this.#time, plan.seed, fates)
    this.#hosts = hostsOf(plan, algorithm, this.#time, (...deed) => this.#note(...deed))
    this.#around = {
      plan,
      algorithm,
      network: this.#network,
      hosts: this.#hosts,
      database: new Database(),
      beliefs: this.#beliefs,
      updates: this.#updates,
    }
    this.#participants = plan.rounds.map((_, who) => this.#participant(who))
    this.#time.afterStep = () => this.#afterStep()
  }

  async run(): Promise<History> {
    const finished = Promise.all(this.#participants.map((participant) => this.#start(participant)))
    prepare({
      plan: this.#plan,
      time: this.#time,
      network: this.#network,
      hosts: this.#hosts,
      participants: this.#participants,
      marks: this.#marks,
      lockKey: this.#lockKey,
      isOver: () => this.#isOver,
    })
    await this.#time.within(finished, this.#plan.lengthMs)
    this.#heal()
    await this.#time.within(finished, FINISH_MS)
    this.#cutOff()
    await this.#time.advance(this.#plan.ttlMs + SETTLE_MS)
    const history = await this.#history()
    await this.#close()
    return history
  }

  #participant(who: number): Participant {
    const rate = 1 + (Math.floor(drawn(this.#plan.seed, Draw.Clock, who) * 3) - 1) * DRIFT
    const machine: Machine = new Machine(who, this.#time, rate, {
      ran: (machine) => {
        this.#ran = machine
      },
      killed: (machine) => this.#killed(machine),
    })
    const participant = new Participant(this.#around, machine)
    return participant
  }

  /** Settles when it has made its rounds, or is killed. */
  #start(participant: Participant): Promise<void> {
    const { machine, who } = participant
    return new Promise((resolve, reject) => {
      this.#whenKilled.set(machine, () => {
        participant.cut()
        resolve()
      })
      machine.soon(() => participant.run(this.#plan.rounds[who]).then(resolve, reject))
    })
  }

  #afterStep(): boolean {
    const machine = this.#ran
    this.#ran = undefined
    return machine !== undefined && this.#beliefs.look(machine)
  }

  #killed(machine: Machine): void {
    this.#beliefs.stop(machine, this.#time.now())
    this.#network.lose(machine)
    this.#whenKilled.get(machine)?.()
  }

  /** Fates of requests strike as long as the run lasts, and are written down. */
  #isStruck(incident: Plan['incidents'][number]): boolean {
    if (this.#isOver) return false
    markIncident({ marks: this.#marks, time: this.#time }, incident)
    return true
  }

  #note(what: Deed['what'], key: string, by: number | undefined, before?: Item, after?: Item): void {
    if (key !== this.#lockKey) return
    this.#deeds.push({
      at: this.#time.now(),
      what,
      key,
      ...(by !== undefined && { by }),
      ...(before !== undefined && { before: before.value }),
      ...(after !== undefined && { after: after.value }),
    })
  }

  #heal(): void {
    this.#isOver = true
    this.#network.healAll()
    for (const host of this.#hosts) host.heal()
    for (const { machine } of this.#participants) machine.heal()
  }

  /** Whoever is not finished now is left out. */
  #cutOff(): void {
    for (const { machine, isFinished } of this.#participants) if (!isFinished) machine.kill()
  }

  async #history(): Promise<History> {
    const final = await this.#readBack()
    const byTime = (one: { at: number }, other: { at: number }) => one.at - other.at
    return {
      beliefs: this.#beliefs.spans.toSorted((one, other) => one.from - other.from),
      updates: this.#updates.toSorted((one, other) => one.from - other.from),
      marks: this.#marks.toSorted(byTime),
      deeds: [...this.#deeds],
      final,
      endedAt: this.#time.now(),
    }
  }

  async #readBack(): Promise<readonly string[]> {
    const { readBack } = this.#algorithm
    if (readBack === undefined) return this.#around.database.ids
    const examiner = this.#participant(this.#participants.length)
    const ids = await this.#time.settled(readBack(examiner.hands))
    await this.#time.settled(examiner.close())
    return ids
  }

  /** Nothing is left of it: whatever has not ended by itself is called off. */
  async #close(): Promise<void> {
    const alive = this.#participants.filter(({ machine }) => !machine.dead)
    await this.#time.within(Promise.allSettled(alive.map((participant) => participant.close())), CLOSE_MS)
    for (const { machine } of this.#participants) machine.kill()
    for (const host of this.#hosts) host.stop()
    this.#time.clear()
    // Others of this thread have their turn, too.
    await breath()
  }
}
