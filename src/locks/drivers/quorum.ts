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
import { LockArgumentError, LockUnavailableError, OutcomeUnknownError } from '../errors.js'
import { manyMayWait } from '../linked.js'
import { type MemcachedOptions, memcached } from './memcached.js'
import { Aftermath, type Chance, UNANSWERED_MS } from './quorum/aftermath.js'
import { type Answer, Ballot } from './quorum/ballot.js'
import { Census, holderTold } from './quorum/census.js'
import { quorumFacts } from './quorum/facts.js'
import { FenceClock } from './quorum/fence-clock.js'
import { decodeVotes, encodeVotes, NOTHING } from './quorum/version.js'
import {
  extendOn,
  hasNothing,
  isGone,
  isGranted,
  isThere,
  isTrue,
  releaseOn,
  type Vote,
  votesIn,
} from './quorum/votes.js'

/** A fence that others have overtaken is chosen anew so often. */
const FENCE_TRIES = 10

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
  readonly #members: readonly LockDriver[]
  readonly #needed: number
  readonly #fences: FenceClock
  readonly #aftermath: Aftermath

  constructor(
    members: readonly LockDriver[],
    remake: LockDriver['remake'],
    chance: Chance = { timer: systemTimer, random: Math.random },
  ) {
    this.#members = members
    this.#needed = (members.length >> 1) + 1
    this.remake = remake
    this.#aftermath = new Aftermath(members, chance)
    this.#fences = new FenceClock(chance.random, chance.times)
  }

  async claim(claim: Claim, call: Call): Promise<ClaimResult> {
    call.signal?.throwIfAborted()
    // Of every server, and of tries before this one, where a server hangs.
    if (call.signal !== undefined) manyMayWait(call.signal)
    const from = call.clock.now()
    const fence = claim.guarantee === 'fenced' ? this.#fences.next() : undefined
    const asked = { ...claim, waitMs: 0, fence }
    const ballot = new Ballot(this.#members.map((member) => member.claim(asked, call)))
    await ballot.until(() => this.#isDecided(ballot, isGranted))
    const lease = await this.#won(claim, ballot, from, fence, call).catch(async (error) => {
      await this.#aftermath.takeBack(claim, ballot, call)
      throw error
    })
    if (lease !== undefined) return { status: 'held', lease }
    await this.#aftermath.takeBack(claim, ballot, call)
    return this.#refusal(claim, ballot, call)
  }

  /** undefined: too few have granted it. */
  async #won(
    claim: Claim,
    ballot: Ballot<ClaimResult>,
    from: number,
    fence: bigint | undefined,
    call: Call,
  ): Promise<Lease | undefined> {
    call.signal?.throwIfAborted()
    const granted = votesIn(ballot)
    if (granted.length < this.#needed) return undefined
    const votes = fence === undefined ? granted : await this.#withFence(granted, fence, claim, call)
    this.#aftermath.expect(claim.holder.owner, ballot.coming)
    return this.#leaseOf(votes, from, (at) => hasNothing(ballot.answers[at]))
  }

  /** The votes, once a majority of them had been told of no fence as great. */
  async #withFence(granted: Vote[], proposed: bigint, claim: Claim, call: Call): Promise<Vote[]> {
    let [votes, fence] = [granted, proposed]
    for (let tries = 1; ; tries++) {
      if (votes.filter(({ floor }) => floor < fence).length >= this.#needed) return votes
      for (const { floor } of votes) this.#fences.saw(floor)
      if (tries === FENCE_TRIES || votes.length < this.#needed) {
        throw new LockUnavailableError(claim.name, 'no majority took its fence: others chose greater ones meanwhile')
      }
      fence = this.#fences.next()
      votes = await this.#tell(votes, fence, claim.ttlMs, call)
    }
  }

  /** Writes a greater fence into the records, and tells the servers of it. */
  async #tell(votes: readonly Vote[], fence: bigint, ttlMs: number, call: Call): Promise<Vote[]> {
    const told = votes.map(async ({ at, lease }): Promise<Vote[]> => {
      const member = this.#members[at]
      const changing = member.extend({ ...lease, fence }, ttlMs, call)
      const [changed, floor] = await Promise.all([changing, member.raise!(lease.key, fence, call)])
      return changed === undefined ? [] : [{ at, lease: changed, floor }]
    })
    const settled = await Promise.allSettled(told)
    return settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  }

  /** Busy when a majority answered; else the lock cannot be had from them now. */
  async #refusal({ key, name }: Claim, ballot: Ballot<ClaimResult>, call: Call): Promise<ClaimResult> {
    // That it is not won may be known sooner: by a server that is away and one that another has, while the third is about to answer.
    const spare = this.#members.length - this.#needed
    await ballot.until(() => ballot.given().length >= this.#needed || ballot.errors().length > spare)
    const errors = ballot.errors()
    const foolish = errors.find((error) => error instanceof LockArgumentError)
    if (foolish !== undefined) throw foolish
    if (ballot.given().length >= this.#needed) {
      const found = holderTold(key, ballot, this.#needed) ?? (await this.find(key, call).catch(() => undefined))
      return { status: 'busy', found, queued: false }
    }
    throw this.#unavailable(name, errors)
  }

  async extend(lease: Lease, ttlMs: number, call: Call): Promise<Lease | undefined> {
    call.signal?.throwIfAborted()
    const { key, name } = lease
    const from = call.clock.now()
    const { versions } = decodeVotes(lease.version)
    const asked = this.#members.map((member, at) => extendOn(member, lease, versions[at], ttlMs, call))
    const ballot = new Ballot(asked)
    await ballot.until(() => this.#isDecided(ballot, isThere))
    const votes = ballot
      .given()
      .flatMap(({ at, value }) => (value === undefined ? [] : [{ at, lease: value, floor: 0n }]))
    if (votes.length >= this.#needed) {
      this.#voteAgain(lease, ttlMs, ballot, call)
      return this.#leaseOf(votes, from)
    }
    const gone = ballot.count(isGone)
    if (gone > this.#members.length - this.#needed) {
      // Lost for good: what is left of it keeps others waiting for nothing.
      await Promise.allSettled(votes.map(({ at, lease: { version } }) => this.#members[at].release(key, version, call)))
      this.#aftermath.sweepRest(lease, ballot, ttlMs, call)
      return undefined
    }
    const errors = ballot.errors()
    if (votes.length === 0 && call.signal?.aborted && errors.every((error) => error === call.signal?.reason))
      throw errors[0]
    // What has not been answered may have been carried out as well.
    const mayBeDone =
      votes.length > 0 ||
      ballot.count(({ kind }) => kind === 'none') > 0 ||
      errors.some((error) => error instanceof OutcomeUnknownError)
    throw mayBeDone ? new OutcomeUnknownError(errors[0]) : this.#unavailable(name, errors)
  }

  /**
   * In the background, of servers that have forgotten it: or else each restart of one would bring the holder nearer to its end. It
   * takes nothing from anybody, since a majority is the holder's.
   */
  #voteAgain(lease: Lease, ttlMs: number, { answers }: Ballot<Lease | undefined>, call: Call): void {
    const { key, name, holder, fence, guarantee = fence === undefined ? 'lease' : 'fenced' } = lease
    const claim: Claim = { key, name, holder, ttlMs, waitMs: 0, guarantee, fence }
    const forgotten = [...answers.keys()].filter((at) => isGone(answers[at]))
    if (forgotten.length === 0) return
    const ballot = new Ballot(forgotten.map((at) => this.#members[at].claim(claim, call)))
    this.#aftermath.expect(
      holder.owner,
      this.#members.map((_, at) => ballot.coming[forgotten.indexOf(at)]),
    )
  }

  async release(key: string, version: Version, call: Call): Promise<boolean> {
    const { owner, versions } = decodeVotes(version)
    const coming = this.#aftermath.comingTo(owner)
    const asked = this.#members.map((member, at) => releaseOn(member, key, owner, versions[at], coming?.[at], call))
    const ballot = new Ballot(asked)
    for (const [at, answer] of ballot.coming.entries()) {
      void answer.then(({ kind }) => kind === 'failed' && this.#aftermath.sweep(at, key, owner, UNANSWERED_MS, call))
    }
    await ballot.until(() => this.#isDecided(ballot, isTrue))
    if (ballot.count(isTrue) >= this.#needed) return true
    const denied = ballot.count((answer) => answer.kind === 'given' && !answer.value)
    if (denied > this.#members.length - this.#needed) return false
    throw new OutcomeUnknownError(ballot.errors()[0])
  }

  async find(key: string, call: Call): Promise<Found | undefined> {
    call.signal?.throwIfAborted()
    const ballot = new Ballot(this.#members.map((member) => member.find(key, call)))
    const census = new Census(ballot, this.#needed)
    await ballot.until(() => census.holder() !== undefined || !census.mayHaveHolder())
    const holder = census.holder()
    if (holder !== undefined) return census.foundOf(key, holder)
    if (!census.mayHaveHolder()) return undefined
    call.signal?.throwIfAborted()
    throw this.#unavailable(key, ballot.errors())
  }

  /** Of keys that any server lists. */
  async *list(keyPrefix: string, call: Call): AsyncGenerator<Found> {
    call.signal?.throwIfAborted()
    const listed = await Promise.allSettled(this.#members.map((member) => keysOf(member.list(keyPrefix, call))))
    const answered = listed.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    if (answered.length < this.#needed) {
      throw this.#unavailable(
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
    const told = await Promise.allSettled(this.#members.map((member) => member.facts(key, call)))
    const facts = told.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    if (facts.length >= this.#needed) return quorumFacts(facts, this.#members.length, this.#needed)
    throw this.#unavailable(
      key,
      told.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])),
    )
  }

  async close(): Promise<void> {
    await this.#aftermath.finish()
    await Promise.all(this.#members.map((member) => member.close()))
  }

  /** Enough say yes, or so many say something else that it cannot come to that. */
  #isDecided<T>(ballot: Ballot<T>, isYes: (answer: Answer<T>) => boolean): boolean {
    const yes = ballot.count(isYes)
    const open = ballot.count(({ kind }) => kind === 'none')
    return yes >= this.#needed || yes + open < this.#needed
  }

  /** `isEmpty`: servers of which it is certain that they have nothing of it. */
  #leaseOf(votes: readonly Vote[], from: number, isEmpty: (at: number) => boolean = () => false): Lease {
    const { lease } = votes[0]
    const versions = this.#members.map(
      (_, at) => votes.find((vote) => vote.at === at)?.lease.version ?? (isEmpty(at) ? NOTHING : undefined),
    )
    const version = encodeVotes({ owner: lease.holder.owner, versions })
    return { ...lease, version, from, granularityMs: Math.max(...votes.map((vote) => vote.lease.granularityMs)) }
  }

  #unavailable(name: string, errors: readonly unknown[]): LockUnavailableError {
    const waits = errors.flatMap((error) =>
      error instanceof LockUnavailableError && error.retryAfterMs !== undefined ? [error.retryAfterMs] : [],
    )
    const words = errors.map((error) => (error instanceof LockUnavailableError ? error.why : String(error)))
    const why = `fewer than ${this.#needed} of ${this.#members.length} servers answered: ${words.join('; ')}`
    const retryAfterMs = waits.length === 0 ? undefined : Math.min(...waits)
    return new LockUnavailableError(name, why, {
      cause: errors[0],
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    })
  }
}

async function keysOf(list: AsyncIterable<Found>): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of list) keys.push(key)
  return keys
}
