/**
 * One lock on several independent servers, of which a majority has to grant it, so that a minority may be down, paused, cut off, or
 * restarted empty. All are asked at once, and the answers that decide it are enough; what a server grants too late, or to one who
 * did not win, is taken back. Each server's own rules hold for its vote: one that has just restarted has none.
 *
 * A lock's fence is chosen by who asks, from its clock, and told to every server that grants (see fence-clock.ts): it counts if a
 * majority had been told of no greater one by the time that they had granted the lock. Else a greater one is chosen, and told. Two
 * majorities have a server in common, whose floor the earlier holder had raised before the later one could have its vote.
 */
import type { Call, Claim, ClaimResult, Facts, Found, Lease, LockDriver, Version } from '../driver.js'
import { systemTimer } from '../environment.js'
import { LockArgumentError } from '../errors.js'
import { type MemcachedOptions, memcached } from './memcached.js'
import { Aftermath, type Chance } from './quorum/aftermath.js'
import { Ballot } from './quorum/ballot.js'
import { Census } from './quorum/census.js'
import { Claiming } from './quorum/claiming.js'
import { quorumFacts } from './quorum/facts.js'
import { FenceClock } from './quorum/fence-clock.js'
import { Holding } from './quorum/holding.js'
import { Members } from './quorum/members.js'

/** As for `memcached`, with three servers or more; an odd number, since four survive no more than three do. */
export type QuorumOptions = MemcachedOptions

/**
 * Locks on a majority of memcached servers, Latchkey or stock, each an independent one. Throws LockArgumentError for fewer than three
 * servers or an even number, and what `memcached` throws for its options.
 */
export function quorum(options: QuorumOptions): LockDriver {
  const { servers, ...others } = options
  if (!Array.isArray(servers)) throw new LockArgumentError('a quorum needs a list of servers')
  const members = servers.map((server) => memcached({ ...others, servers: [server] }))
  const remakeable = members.every(({ remake }) => remake !== undefined)
  return quorumOf(members, remakeable ? { module: import.meta.url, options } : undefined)
}

/** The same over drivers of one server each; they are closed with it. */
export function quorumOf(members: readonly LockDriver[], remake?: LockDriver['remake'], chance?: Chance): LockDriver {
  if (members.length < 3 || members.length % 2 === 0) {
    throw new LockArgumentError(`a quorum has 3, 5 or 7 servers, not ${members.length}`)
  }
  if (members.some(({ raise }) => raise === undefined)) {
    throw new LockArgumentError('a quorum is made of servers that can be told of a fence: memcached or Latchkey')
  }
  return new QuorumDriver(members, remake, chance)
}

/** For `remake`. */
export default quorum

class QuorumDriver implements LockDriver {
  readonly kind = 'quorum'
  readonly remake: LockDriver['remake']
  readonly #members: Members
  readonly #aftermath: Aftermath
  readonly #claiming: Claiming
  readonly #holding: Holding

  constructor(
    members: readonly LockDriver[],
    remake: LockDriver['remake'],
    chance: Chance = { timer: systemTimer, random: Math.random },
  ) {
    this.remake = remake
    this.#members = new Members(members)
    this.#aftermath = new Aftermath(members, chance)
    const fences = new FenceClock(chance.random, chance.times)
    const find = (key: string, call: Call) => this.find(key, call)
    this.#claiming = new Claiming(this.#members, this.#aftermath, fences, find)
    this.#holding = new Holding(this.#members, this.#aftermath)
  }

  claim(claim: Claim, call: Call): Promise<ClaimResult> {
    return this.#claiming.claim(claim, call)
  }

  extend(lease: Lease, ttlMs: number, call: Call): Promise<Lease | undefined> {
    return this.#holding.extend(lease, ttlMs, call)
  }

  release(key: string, version: Version, call: Call): Promise<boolean> {
    return this.#holding.release(key, version, call)
  }

  async find(key: string, call: Call): Promise<Found | undefined> {
    call.signal?.throwIfAborted()
    const ballot = new Ballot(this.#members.all.map((member) => member.find(key, call)))
    const census = new Census(ballot, this.#members.needed)
    await ballot.until(() => census.holder() !== undefined || !census.mayHaveHolder())
    const holder = census.holder()
    if (holder !== undefined) return census.foundOf(key, holder)
    if (!census.mayHaveHolder()) return undefined
    call.signal?.throwIfAborted()
    throw this.#members.unavailable(key, ballot.errors())
  }

  /** Of keys that any server lists. */
  async *list(keyPrefix: string, call: Call): AsyncGenerator<Found> {
    call.signal?.throwIfAborted()
    const listed = await Promise.allSettled(this.#members.all.map((member) => keysOf(member.list(keyPrefix, call))))
    const answered = listed.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    if (answered.length < this.#members.needed) {
      throw this.#members.unavailable(
        keyPrefix,
        listed.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])),
      )
    }
    for (const key of new Set(answered.flat())) {
      const found = await this.find(key, call)
      if (found !== undefined) yield found
    }
  }

  async facts(key: string, call: Call): Promise<Facts> {
    call.signal?.throwIfAborted()
    const told = await Promise.allSettled(this.#members.all.map((member) => member.facts(key, call)))
    const facts = told.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    if (facts.length >= this.#members.needed) return quorumFacts(facts, this.#members.all.length, this.#members.needed)
    throw this.#members.unavailable(
      key,
      told.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])),
    )
  }

  async close(): Promise<void> {
    await this.#aftermath.finish()
    await Promise.all(this.#members.all.map((member) => member.close()))
  }
}

async function keysOf(list: AsyncIterable<Found>): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of list) keys.push(key)
  return keys
}
