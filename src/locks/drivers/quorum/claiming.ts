/** A claim on all servers at once, and the fence of the lock that a majority has granted. */
import type { Call, Claim, ClaimResult, Found, Lease } from '../../driver.js'
import { LockArgumentError, LockUnavailableError } from '../../errors.js'
import { manyMayWait } from '../../linked.js'
import type { Aftermath } from './aftermath.js'
import { Ballot } from './ballot.js'
import { holderTold } from './census.js'
import type { FenceClock } from './fence-clock.js'
import type { Members } from './members.js'
import { hasNothing, isGranted, type Vote, votesIn } from './votes.js'

/** A fence that others have overtaken is chosen anew so often. */
const FENCE_TRIES = 10

export class Claiming {
  readonly #members: Members
  readonly #aftermath: Aftermath
  readonly #fences: FenceClock
  readonly #find: (key: string, call: Call) => Promise<Found | undefined>

  /** `find`: who holds it, for those who are told that another does. */
  constructor(
    members: Members,
    aftermath: Aftermath,
    fences: FenceClock,
    find: (key: string, call: Call) => Promise<Found | undefined>,
  ) {
    this.#members = members
    this.#aftermath = aftermath
    this.#fences = fences
    this.#find = find
  }

  async claim(claim: Claim, call: Call): Promise<ClaimResult> {
    call.signal?.throwIfAborted()
    // Of every server, and of tries before this one, where a server hangs.
    if (call.signal !== undefined) manyMayWait(call.signal)
    const from = call.clock.now()
    const fence = claim.guarantee === 'fenced' ? this.#fences.next() : undefined
    const asked = { ...claim, waitMs: 0, fence }
    const ballot = new Ballot(this.#members.all.map((member) => member.claim(asked, call)))
    await ballot.until(() => this.#members.isDecided(ballot, isGranted))
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
    if (granted.length < this.#members.needed) return undefined
    const votes = fence === undefined ? granted : await this.#withFence(granted, fence, claim, call)
    this.#aftermath.expect(claim.holder.owner, ballot.coming)
    return this.#members.leaseOf(votes, from, (at) => hasNothing(ballot.answers[at]))
  }

  /** The votes, once a majority of them had been told of no fence as great. */
  async #withFence(granted: Vote[], proposed: bigint, claim: Claim, call: Call): Promise<Vote[]> {
    let [votes, fence] = [granted, proposed]
    for (let tries = 1; ; tries++) {
      if (votes.filter(({ floor }) => floor < fence).length >= this.#members.needed) return votes
      for (const { floor } of votes) this.#fences.saw(floor)
      if (tries === FENCE_TRIES || votes.length < this.#members.needed) {
        throw new LockUnavailableError(claim.name, 'no majority took its fence: others chose greater ones meanwhile')
      }
      fence = this.#fences.next()
      votes = await this.#tell(votes, fence, claim.ttlMs, call)
    }
  }

  /** Writes a greater fence into the records, and tells the servers of it. */
  async #tell(votes: readonly Vote[], fence: bigint, ttlMs: number, call: Call): Promise<Vote[]> {
    const told = votes.map(async ({ at, lease }): Promise<Vote[]> => {
      const member = this.#members.all[at]
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
    await ballot.until(
      () => ballot.given().length >= this.#members.needed || ballot.errors().length > this.#members.spare,
    )
    const errors = ballot.errors()
    const foolish = errors.find((error) => error instanceof LockArgumentError)
    if (foolish !== undefined) throw foolish
    if (ballot.given().length >= this.#members.needed) {
      const found =
        holderTold(key, ballot, this.#members.needed) ?? (await this.#find(key, call).catch(() => undefined))
      return { status: 'busy', found, queued: false }
    }
    throw this.#members.unavailable(name, errors)
  }
}
