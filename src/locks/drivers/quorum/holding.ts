/** Extending and releasing the votes for a lock that is held. */
import type { Call, Claim, Lease, Version } from '../../driver.js'
import { OutcomeUnknownError } from '../../errors.js'
import { type Aftermath, UNANSWERED_MS } from './aftermath.js'
import { Ballot } from './ballot.js'
import type { Members } from './members.js'
import { decodeVotes } from './version.js'
import { extendOn, isGone, isThere, isTrue, releaseOn } from './votes.js'

export class Holding {
  readonly #members: Members
  readonly #aftermath: Aftermath

  constructor(members: Members, aftermath: Aftermath) {
    this.#members = members
    this.#aftermath = aftermath
  }

  async extend(lease: Lease, ttlMs: number, call: Call): Promise<Lease | undefined> {
    call.signal?.throwIfAborted()
    const { key, name } = lease
    const from = call.clock.now()
    const { versions } = decodeVotes(lease.version)
    const asked = this.#members.all.map((member, at) => extendOn(member, lease, versions[at], ttlMs, call))
    const ballot = new Ballot(asked)
    await ballot.until(() => this.#members.isDecided(ballot, isThere))
    const votes = ballot
      .given()
      .flatMap(({ at, value }) => (value === undefined ? [] : [{ at, lease: value, floor: 0n }]))
    if (votes.length >= this.#members.needed) {
      this.#voteAgain(lease, ttlMs, ballot, call)
      return this.#members.leaseOf(votes, from)
    }
    const gone = ballot.count(isGone)
    if (gone > this.#members.spare) {
      // Lost for good: what is left of it keeps others waiting for nothing.
      await Promise.allSettled(
        votes.map(({ at, lease: { version } }) => this.#members.all[at].release(key, version, call)),
      )
      this.#aftermath.sweepRest(lease, ballot, ttlMs, call)
      return undefined
    }
    const errors = ballot.errors()
    // What has not been answered may have been carried out as well.
    const isOpen = votes.length > 0 || ballot.count(({ kind }) => kind === 'none') > 0
    if (!isOpen && call.signal?.aborted && errors.every((error) => error === call.signal?.reason)) throw errors[0]
    const mayBeDone = isOpen || errors.some((error) => error instanceof OutcomeUnknownError)
    throw mayBeDone ? new OutcomeUnknownError(errors[0]) : this.#members.unavailable(name, errors)
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
    const ballot = new Ballot(forgotten.map((at) => this.#members.all[at].claim(claim, call)))
    this.#aftermath.expect(
      holder.owner,
      this.#members.all.map((_, at) => ballot.coming[forgotten.indexOf(at)]),
    )
  }

  async release(key: string, version: Version, call: Call): Promise<boolean> {
    const { owner, versions } = decodeVotes(version)
    const coming = this.#aftermath.comingTo(owner)
    const asked = this.#members.all.map((member, at) => releaseOn(member, key, owner, versions[at], coming?.[at], call))
    const ballot = new Ballot(asked)
    for (const [at, answer] of ballot.coming.entries()) {
      void answer.then(({ kind }) => kind === 'failed' && this.#aftermath.sweep(at, key, owner, UNANSWERED_MS, call))
    }
    const isDenied = () => ballot.count((answer) => answer.kind === 'given' && !answer.value) > this.#members.spare
    // A server that could not tell leaves it to the others: they are waited for.
    await ballot.until(() => ballot.count(isTrue) >= this.#members.needed || isDenied())
    if (ballot.count(isTrue) >= this.#members.needed) return true
    if (isDenied()) return false
    throw new OutcomeUnknownError(ballot.errors()[0])
  }
}
