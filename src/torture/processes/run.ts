/** One run: a plan carried out by members on a site, and what came of it. */
import type { Algorithm, Resource } from '../algorithm.js'
import type { History } from '../history.js'
import type { Plan } from '../plan.js'
import { Chronicle } from './chronicle.js'
import { LaboratoryError } from './errors.js'
import { handsIn } from './hands.js'
import { lasting } from './lasting.js'
import type { Member } from './member.js'
import { nowMs, type Report } from './messages.js'
import { RequestFaults } from './request-faults.js'
import { Database } from './resource.js'
import type { Site } from './site.js'
import { Strikes, wordsFor } from './strikes.js'
import { Wires } from './wires.js'

export interface Cast {
  readonly plan: Plan
  readonly algorithm: Algorithm
  readonly site: Site
  readonly members: readonly Member[]
  /** The name of the lock, and its key. */
  readonly lock: string
  readonly key: string
  /** Those who have finished, and can be used again, are put here. */
  readonly done: Set<Member>
}

/** Locks that are closed take away what they may have left, each for a second at most. */
const REST_MS = 3000

/** What is in the cache is not in the resource. */
const noResource: Resource = {
  read: async () => [],
  write: async () => {},
  begin() {
    throw new LaboratoryError('whoever reads back changes nothing')
  },
}

export class Run {
  readonly #cast: Cast
  readonly #chronicle: Chronicle
  readonly #database = new Database()
  readonly #playing = new Set<Member>()
  #wires: readonly Wires[] = []
  #allPlayed = () => {}
  #fail: (error: Error) => void = () => {}

  constructor(cast: Cast) {
    this.#cast = cast
    this.#chronicle = new Chronicle(cast.members.length)
  }

  async carryOut(): Promise<History> {
    try {
      const { members, site, key } = this.#cast
      for (const [who, member] of members.entries()) member.listener = (report) => this.#hear(who, member, report)
      await this.#openWires()
      await Promise.all([site.prepare(key), ...members.map((member, who) => this.#prepare(member, who))])
      await this.#play()
      await Promise.all(members.map((member) => this.#dismiss(member)))
      return this.#chronicle.history(await this.#readBack())
    } finally {
      await this.#closeWires()
    }
  }

  async #openWires(): Promise<void> {
    const { plan, site, members } = this.#cast
    this.#wires = await Promise.all(
      members.map((_, who) => {
        const faults = new RequestFaults(who, plan.incidents, (fault) => this.#chronicle.mark(wordsFor(fault), who))
        return Wires.open(site, faults)
      }),
    )
  }

  #prepare(member: Member, who: number): Promise<void> {
    const { plan, lock, site } = this.#cast
    const { algorithm, rounds, ttlMs, waitMs } = plan
    const { addresses } = this.#wires[who]
    const home = site.home(addresses, orderOf(plan, who, addresses.length))
    member.order({ do: 'prepare', job: { who, algorithm, lock, rounds: rounds[who], ttlMs, waitMs, home } })
    return member.next('prepared')
  }

  /** Until all are through, or the time is over. */
  async #play(): Promise<void> {
    const { plan, site, members, key } = this.#cast
    const startAt = await site.startAt()
    this.#chronicle.begin(startAt)
    const strikes = new Strikes({ site, members, wires: this.#wires, chronicle: this.#chronicle, key }, plan.incidents)
    const over = new Promise<void>((resolve, reject) => {
      this.#allPlayed = resolve
      this.#fail = reject
    })
    for (const [who, member] of members.entries()) this.#watch(member, who)
    for (const wires of this.#wires) wires.begin()
    for (const member of members) member.order({ do: 'play', at: startAt })
    strikes.start(startAt, this.#fail)
    try {
      await Promise.race([over, lasting(startAt + plan.lengthMs - nowMs())])
      this.#chronicle.end(nowMs())
    } finally {
      strikes.stop()
    }
  }

  /** Who ends is through, too, if it was to be so. */
  #watch(member: Member, who: number): void {
    this.#playing.add(member)
    void member.ended.then((why) => {
      if (!this.#chronicle.isDead(who)) this.#fail(new LaboratoryError(`participant ${who} has ended: ${why}`))
      this.#through(member)
    })
  }

  #through(member: Member): void {
    this.#playing.delete(member)
    if (this.#playing.size === 0) this.#allPlayed()
  }

  #hear(who: number, member: Member, report: Report): void {
    this.#chronicle.hear(who, report)
    if (report.is === 'played') this.#through(member)
    if (report.is === 'failed') this.#fail(new LaboratoryError(`participant ${who}: ${report.why}`))
    if (report.is === 'asks') {
      void this.#database.ask(report.question).then((answer) => member.order({ do: 'hear', answer }))
    }
  }

  /** Who is through closes its connections in order, and can be used again. Who is not, or does not get to it, is left out. */
  async #dismiss(member: Member): Promise<void> {
    if (!member.alive) return
    if (this.#playing.has(member) || !(await isRested(member))) await member.kill()
    else this.#cast.done.add(member)
  }

  /** Nobody else is there any more, and nothing is in between. */
  async #readBack(): Promise<readonly string[]> {
    const { algorithm, site } = this.#cast
    if (algorithm.readBack === undefined) return this.#database.ids
    const believes = () => ({ end: () => {} })
    const hands = await handsIn(site.home(), algorithm.habits, { who: -1, resource: noResource, believes })
    try {
      return await algorithm.readBack(hands)
    } finally {
      await hands.close()
    }
  }

  async #closeWires(): Promise<void> {
    await Promise.all(this.#wires.map((wires) => wires.close()))
  }
}

/** Every participant has the same list, but where that is the fault. */
function orderOf({ fault }: Plan, who: number, servers: number): number[] {
  const first = fault === 'lists' ? who : 0
  return Array.from({ length: servers }, (_, i) => (first + i) % servers)
}

async function isRested(member: Member): Promise<boolean> {
  member.order({ do: 'rest' })
  const rested = member.next('rested').then(
    () => true,
    () => false,
  )
  return Promise.race([rested, lasting(REST_MS).then(() => false)])
}
