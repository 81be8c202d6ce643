/**
 * A laboratory of a page or two, in virtual time, with a few of the faults: enough to see each recipe break under its story. Whoever is on
 * the way arrives when the seed says so, and that is what makes the schedules.
 */
import { createLocks, type Environment, type Locks } from 'latchkey/locks'
import {
  type Algorithm,
  type Belief,
  type BeliefSpan,
  type Deed,
  type Hands,
  type History,
  type Holding,
  type Incident,
  lockKey,
  type Outcome,
  type Plan,
  Random,
  type Task,
  type Update,
} from 'latchkey/torture'
import { virtualEnvironment } from '../../locks/support/model.js'
import { ModelDriver } from '../../locks/support/model-driver.js'
import { ModelServer } from '../../locks/support/model-server.js'
import { VirtualTime } from '../../locks/support/virtual-time.js'
import { Machine } from './machine.js'
import { MiniatureCache } from './miniature-cache.js'
import { MiniatureResource, SharedSet } from './miniature-resource.js'
import { TickServer } from './tick-server.js'

const NAME = 'lock'
const END_MS = 60_000

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Ours run only where the wire is whole, as long as this is all there is to it. */
export function runInMiniature(plan: Plan, algorithm: Algorithm): Promise<History> {
  return new Miniature(plan, algorithm).run()
}

class Miniature {
  readonly #plan: Plan
  readonly #algorithm: Algorithm
  readonly #time = new VirtualTime()
  readonly #random: Random
  readonly #set = new SharedSet()
  readonly #machines: readonly Machine[]
  readonly #servers: readonly TickServer[]
  readonly #lockServer: ModelServer
  readonly #beliefs: Writable<BeliefSpan>[] = []
  readonly #updates: Writable<Update>[] = []
  readonly #deeds: Deed[] = []
  readonly #callers = new Map<number, AbortController>()

  constructor(plan: Plan, algorithm: Algorithm) {
    this.#plan = plan
    this.#algorithm = algorithm
    this.#random = new Random(plan.seed)
    this.#machines = plan.rounds.map((_, who) => new Machine(who, this.#time))
    const key = lockKey(algorithm, NAME)
    const note = (deed: Deed) => deed.key === key && this.#deeds.push(deed)
    this.#servers = Array.from(
      { length: algorithm.servers ?? 1 },
      () => new TickServer(this.#time, this.#random.below(1000) - 1000, note),
    )
    this.#lockServer = new ModelServer(this.#time, algorithm.home === 'memcached' ? 1000 : 0)
  }

  async run(): Promise<History> {
    for (const incident of this.#plan.incidents) this.#time.timer(incident.at, () => this.#strike(incident))
    const hands = this.#machines.map((machine) => this.#hands(machine))
    for (const [who, rounds] of this.#plan.rounds.entries()) this.#takePart(hands[who], rounds)
    await this.#time.advance(END_MS)
    for (const belief of this.#beliefs) belief.to = Math.min(belief.to, END_MS)
    const final = await this.#time.settled(this.#final(hands.find(({ who }) => !this.#machines[who].isDead)!))
    await this.#time.settled(Promise.all(hands.map(({ locks }) => locks.close())))
    return {
      beliefs: this.#beliefs,
      updates: this.#updates,
      marks: [],
      deeds: this.#deeds,
      final,
      endedAt: END_MS,
    }
  }

  async #final(hands: Hands): Promise<readonly string[]> {
    return this.#algorithm.readBack === undefined ? this.#set.ids : this.#algorithm.readBack(hands)
  }

  async #takePart(hands: Hands, rounds: Plan['rounds'][number]): Promise<void> {
    for (const [nth, { afterMs, workMs }] of rounds.entries()) {
      await hands.sleep(afterMs)
      await this.#change(hands, `${hands.who}.${nth}`, workMs)
    }
  }

  async #change(hands: Hands, id: string, workMs: number): Promise<void> {
    const { who } = hands
    const update: Writable<Update> = { id, who, from: this.#time.now(), to: END_MS, outcome: 'cut' }
    this.#updates.push(update)
    const caller = new AbortController()
    this.#callers.set(who, caller)
    const { ttlMs, waitMs } = this.#plan
    const task: Task = { name: NAME, id, ttlMs, waitMs, signal: caller.signal, work: () => hands.sleep(workMs) }
    const outcome: Outcome = await this.#algorithm.change(hands, task).catch((error: unknown) => {
      update.why = String(error)
      return 'failed' as const
    })
    update.outcome = outcome
    update.to = this.#time.now()
  }

  #hands(machine: Machine): Hands {
    const { who } = machine
    const time = this.#time
    return {
      who,
      cache: new MiniatureCache({
        machine,
        time,
        servers: this.#servers,
        habits: this.#algorithm.habits ?? {},
        incidents: this.#plan.incidents,
        wayMs: () => this.#wayMs(),
      }),
      locks: this.#locks(machine),
      resource: new MiniatureResource(this.#set, () => machine.wait(this.#wayMs())),
      now: () => 1.7e12 + time.now(),
      sleep: (ms) => machine.wait(ms),
      random: () => this.#random.unit(),
      believes: (holding) => this.#believes(machine, holding),
    }
  }

  #locks(machine: Machine): Locks {
    const queues = this.#algorithm.home !== 'memcached'
    const driver = new ModelDriver({ time: this.#time, server: this.#lockServer, queues, fates: () => this.#fate() })
    const environment = virtualEnvironment(this.#time, this.#plan.seed + machine.who)
    // Who is dead renews nothing.
    const timer: Environment['timer'] = (ms, run) => this.#time.timer(ms, () => machine.isDead || run())
    return createLocks(driver, {}, { ...environment, timer })
  }

  #fate() {
    return { requestMs: this.#wayMs(), replyMs: this.#wayMs() }
  }

  #wayMs(): number {
    return 1 + this.#random.below(8)
  }

  #believes({ who, isDead }: Machine, { fence, owner, remainingMs }: Holding = {}): Belief {
    if (isDead) return { end: () => {} }
    const span: Writable<BeliefSpan> = {
      who,
      from: this.#time.now(),
      to: Number.POSITIVE_INFINITY,
      fence: fence?.toString(),
      owner,
    }
    this.#beliefs.push(span)
    const end = () => {
      span.to = Math.min(span.to, this.#time.now())
    }
    const look = () => {
      const leftMs = remainingMs!()
      if (span.to < Number.POSITIVE_INFINITY) return
      if (leftMs <= 0) end()
      else this.#time.timer(leftMs, look)
    }
    if (remainingMs !== undefined) look()
    return { end }
  }

  #strike(incident: Incident): void {
    if (incident.what === 'pause') this.#machines[incident.who].stop(incident.ms)
    else if (incident.what === 'crash') this.#kill(incident.who)
    else if (incident.what === 'abort') this.#callers.get(incident.who)?.abort()
    else if (incident.what === 'restart') this.#servers[incident.server].forget('forget')
    else if (incident.what === 'flush') this.#flush(incident.server)
    else if (incident.what === 'evict') this.#servers[incident.server].forget('evict')
    else if (incident.what !== 'blip' && incident.what !== 'lose')
      throw new Error(`${incident.what} cannot be made here`)
  }

  #flush(server: number): void {
    this.#servers[server].forget('flush')
    this.#lockServer.flush()
  }

  #kill(who: number): void {
    this.#machines[who].kill()
    for (const belief of this.#beliefs) if (belief.who === who) belief.to = Math.min(belief.to, this.#time.now())
    for (const update of this.#updates) if (update.who === who && update.outcome === 'cut') update.to = this.#time.now()
  }
}
