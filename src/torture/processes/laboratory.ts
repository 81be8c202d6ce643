/** Real servers, real processes, real faults, in real time. */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import type { Algorithm } from '../algorithm.js'
import { lockKey } from '../algorithms/index.js'
import { type FaultName, faultKind } from '../faults.js'
import type { History } from '../history.js'
import { isEngine } from '../homes.js'
import type { Laboratory } from '../laboratory.js'
import type { Plan } from '../plan.js'
import { type Catalogue, catalogueAt } from './catalogue.js'
import { Crew } from './crew.js'
import { EnginePark } from './engine-park.js'
import { EngineSite } from './engine-site.js'
import { LaboratoryError } from './errors.js'
import { Estate } from './estate.js'
import { GuestSite, type Guests, visit } from './guest-site.js'
import { type Member, ThreadMember } from './member.js'
import type { ProcessesOptions } from './options.js'
import { refusal } from './refusal.js'
import { Run } from './run.js'
import { ServersSite } from './servers-site.js'
import type { Site } from './site.js'
import { StoreSite } from './store-site.js'

/**
 * Plans are carried out by processes on servers, which end with `close`, or with this process. Rejects with LaboratoryError for servers
 * that cannot be reached.
 */
export async function processes(options: ProcessesOptions = {}): Promise<Laboratory> {
  if (process.platform !== 'linux')
    throw new LaboratoryError('real processes are for Linux: signals, clocks and addresses')
  const catalogue = options.catalogue ?? new URL('../algorithms/index.js', import.meta.url).href
  const algorithmNamed = await catalogueAt(catalogue)
  const guests = options.servers === undefined ? undefined : await visit(options.servers)
  const atOnce = options.atOnce ?? 2 * availableParallelism()
  return new ProcessLaboratory({ catalogue, algorithmNamed, guests, atOnce })
}

interface Equipment {
  readonly catalogue: string
  readonly algorithmNamed: Catalogue
  /** Of others' servers. */
  readonly guests: Guests | undefined
  readonly atOnce: number
}

class ProcessLaboratory implements Laboratory {
  readonly name = 'processes'
  readonly atOnce: number
  readonly #equipment: Equipment
  readonly #estate = new Estate()
  readonly #crew: Crew
  readonly #park = new EnginePark(this.#estate)
  readonly #running = new Set<Promise<unknown>>()
  readonly #hasMemcached = spawnSync('memcached', ['-V']).status === 0
  #runs = 0
  #closing: Promise<void> | undefined

  constructor(equipment: Equipment) {
    this.atOnce = equipment.atOnce
    this.#equipment = equipment
    this.#crew = new Crew(equipment.catalogue, this.#estate)
  }

  refuses(algorithm: Algorithm, fault: FaultName): string | undefined {
    return refusal(algorithm, faultKind(fault), this.#equipment.guests, this.#hasMemcached)
  }

  run(plan: Plan): Promise<History> {
    const run = this.#run(plan)
    this.#running.add(run)
    const remove = () => this.#running.delete(run)
    run.then(remove, remove)
    return run
  }

  /** Waits for the runs that there are. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running)
    await Promise.all([this.#crew.close(), this.#park.close()])
    await this.#estate.close()
  }

  async #run(plan: Plan): Promise<History> {
    if (this.#closing !== undefined) throw new LaboratoryError('the laboratory is closed')
    const algorithm = this.#equipment.algorithmNamed(plan.algorithm)
    const why = this.refuses(algorithm, plan.fault)
    if (why !== undefined) throw new LaboratoryError(`${plan.algorithm} under ${plan.fault}: ${why}`)
    const lock = `torture-${++this.#runs}`
    const site = await this.#siteFor(algorithm, plan)
    const members = this.#membersOn(site, plan.rounds.length)
    const done = new Set<Member>()
    try {
      return await new Run({ plan, algorithm, site, members, lock, key: lockKey(algorithm, lock), done }).carryOut()
    } finally {
      await this.#clear(site, members, done)
    }
  }

  async #siteFor(algorithm: Algorithm, { fault, ttlMs, rounds }: Plan): Promise<Site> {
    const { home, servers: count = 1, row, quorum = false } = algorithm
    const order = { fault, ttlMs }
    if (home === 'embedded') return new StoreSite(order, rounds.length)
    if (isEngine(home)) return EngineSite.open({ ...order, engine: home, count }, this.#park)
    const { guests } = this.#equipment
    if (guests !== undefined) return new GuestSite(guests.addresses.slice(0, count), { ...order, quorum }, this.#estate)
    const asksForVotes = row === undefined
    return ServersSite.open({ ...order, kind: home, count, asksForVotes, quorum }, this.#estate)
  }

  #membersOn(site: Site, count: number): Member[] {
    if (!(site instanceof StoreSite)) return this.#crew.take(count)
    const { catalogue } = this.#equipment
    return Array.from({ length: count }, () => new ThreadMember(catalogue, (worker) => site.store.adopt(worker)))
  }

  /** `done`: those who can be used again. A thread has seen one store, and is used for no other. */
  async #clear(site: Site, members: readonly Member[], done: ReadonlySet<Member>): Promise<void> {
    const [reusable, others] = [true, false].map((is) =>
      members.filter((member) => (done.has(member) && !(member instanceof ThreadMember)) === is),
    )
    for (const member of reusable) this.#crew.give(member)
    await Promise.all(others.map((member) => member.kill()))
    await site.close()
  }
}
