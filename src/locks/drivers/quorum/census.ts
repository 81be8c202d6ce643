/** Who has how many servers, as far as they have answered. */
import type { ClaimResult, Found } from '../../driver.js'
import { Answers, NONE } from './ballot.js'
import { encodeVotes } from './version.js'

export class Census {
  readonly #ballot: Answers<Found | undefined>
  readonly #needed: number

  constructor(ballot: Answers<Found | undefined>, needed: number) {
    this.#ballot = ballot
    this.#needed = needed
  }

  /** The owner with a majority, if there is one. */
  holder(): string | undefined {
    for (const [owner, count] of this.#counts()) if (count >= this.#needed) return owner
    return undefined
  }

  /** With what has not been answered, somebody could have one. */
  mayHaveHolder(): boolean {
    const most = Math.max(0, ...this.#counts().values())
    return most + this.#ballot.count(({ kind }) => kind !== 'given') >= this.#needed
  }

  foundOf(key: string, owner: string): Found {
    const { answers } = this.#ballot
    const records = answers.map((answer) =>
      answer.kind === 'given' && answer.value?.holder.owner === owner ? answer.value : undefined,
    )
    const theirs = records.filter((record) => record !== undefined)
    const leftMs = this.#leftMs(theirs)
    const versions = records.map((record) => record?.version)
    return {
      key,
      holder: theirs[0].holder,
      fence: theirs.reduce<bigint | undefined>((most, { fence }) => greater(most, fence), undefined),
      version: encodeVotes({ owner, versions }),
      leftMs,
      waiters: undefined,
    }
  }

  /** The lock ends when too few are left. */
  #leftMs(records: readonly Found[]): number | undefined {
    const left = records.map((record) => record.leftMs ?? Number.POSITIVE_INFINITY).sort((a, b) => b - a)
    const ms = left[this.#needed - 1]
    return Number.isFinite(ms) ? ms : undefined
  }

  #counts(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { value } of this.#ballot.given()) {
      if (value !== undefined) counts.set(value.holder.owner, (counts.get(value.holder.owner) ?? 0) + 1)
    }
    return counts
  }
}

/** Who holds it, if enough of the servers that refused a claim have told. */
export function holderTold(key: string, claims: Answers<ClaimResult>, needed: number): Found | undefined {
  const told = claims.answers.map((answer) =>
    answer.kind === 'given' && answer.value.status === 'busy' ? { ...answer, value: answer.value.found } : NONE,
  )
  const census = new Census(new Answers(told), needed)
  const holder = census.holder()
  return holder === undefined ? undefined : census.foundOf(key, holder)
}

function greater(one: bigint | undefined, other: bigint | undefined): bigint | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one > other ? one : other
}
