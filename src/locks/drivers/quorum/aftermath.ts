/** What is still to be done behind a claim, an extension or a release: votes that nobody uses are taken back, late ones awaited. */
import { Chores } from '../../chores.js'
import type { TimeSources } from '../../clock.js'
import type { Call, Claim, ClaimResult, Lease, LockDriver } from '../../driver.js'
import type { Environment } from '../../environment.js'
import { sweep } from '../../sweep.js'
import type { Answer, Ballot } from './ballot.js'
import { isCertain, isGone, isGranted, isThere, mayBeLeft } from './votes.js'

/** A server that does not answer a release is asked again for so long; what it still has by then ends with its lease. */
export const UNANSWERED_MS = 60_000

/** `times`: of whoever chooses fences. */
export type Chance = Pick<Environment, 'timer' | 'random'> & { readonly times?: TimeSources }

/** By server: whether it is known what became of the claim, once that is so. */
type Coming = Promise<boolean>[]

export class Aftermath {
  readonly #members: readonly LockDriver[]
  readonly #chance: Chance
  readonly #chores = new Chores()
  /** Votes that are on their way to a holder, by owner: a release waits for them, lest one comes after it. */
  readonly #coming = new Map<string, Coming>()

  constructor(members: readonly LockDriver[], chance: Chance) {
    this.#members = members
    this.#chance = chance
  }

  comingTo(owner: string): Coming | undefined {
    return this.#coming.get(owner)
  }

  /** Remembers what is on its way until it has come, or for as long as a request may well be delayed. */
  expect(owner: string, coming: readonly (Promise<Answer<ClaimResult>> | undefined)[]): void {
    const before = this.#coming.get(owner)
    const all = coming.map(async (one, at) => {
      const known = await Promise.all([one?.then(isCertain), before?.[at]])
      return !known.includes(false)
    })
    this.#coming.set(owner, all)
    const forget = () => {
      if (this.#coming.get(owner) === all) this.#coming.delete(owner)
    }
    void Promise.all(all).then((certain) => {
      if (certain.includes(false)) this.#chance.timer(UNANSWERED_MS, forget, false)
      else forget()
    })
  }

  /** Nothing of a claim that failed is left: what was granted is given back before anybody asks again, the rest in the background. */
  async takeBack({ key, holder: { owner }, ttlMs }: Claim, ballot: Ballot<ClaimResult>, call: Call): Promise<void> {
    const untold = { ...call, signal: undefined }
    const giving = ballot.answers.map(async (answer, at) => {
      if (answer.kind === 'none') {
        void ballot.coming[at].then((late) => mayBeLeft(late) && this.sweep(at, key, owner, ttlMs, untold))
      } else if (isGranted(answer)) {
        const { version } = answer.value.lease
        const freed = await this.#members[at].release(key, version, untold).catch(() => false)
        if (!freed) this.sweep(at, key, owner, ttlMs, untold)
      } else if (mayBeLeft(answer)) this.sweep(at, key, owner, ttlMs, untold)
    })
    await Promise.all(giving)
  }

  /** Of a lock that is lost: where nobody has answered, and where a vote that was asked for again may still come. */
  sweepRest({ key, holder: { owner } }: Lease, ballot: Ballot<Lease | undefined>, ttlMs: number, call: Call): void {
    const coming = this.#coming.get(owner)
    for (const [at, answer] of ballot.answers.entries()) {
      if (isThere(answer)) continue
      if (!isGone(answer) || coming !== undefined) this.sweep(at, key, owner, ttlMs, call)
    }
  }

  /** In the background, for as long as a lease can run that is taken now. */
  sweep(at: number, key: string, owner: string, ttlMs: number, { clock, deadlineMs }: Call): void {
    const place = {
      driver: this.#members[at],
      environment: { clock, ...this.#chance },
      deadlineMs,
      chores: this.#chores,
    }
    sweep(place, { key, owner, until: clock.now() + ttlMs })
  }

  /** Tries once more what is under way. */
  finish(): Promise<void> {
    return this.#chores.finish()
  }
}
