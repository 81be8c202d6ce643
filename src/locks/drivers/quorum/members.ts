/** The servers of a quorum, and what their answers come to. */
import type { Lease, LockDriver } from '../../driver.js'
import { LockUnavailableError } from '../../errors.js'
import type { Answer, Answers } from './ballot.js'
import { encodeVotes, NOTHING } from './version.js'
import type { Vote } from './votes.js'

export class Members {
  readonly all: readonly LockDriver[]
  /** A majority. */
  readonly needed: number
  /** How many may be missing. */
  readonly spare: number

  constructor(all: readonly LockDriver[]) {
    this.all = all
    this.needed = (all.length >> 1) + 1
    this.spare = all.length - this.needed
  }

  /** Enough say yes, or so many say something else that it cannot come to that. */
  isDecided<T>(ballot: Answers<T>, isYes: (answer: Answer<T>) => boolean): boolean {
    const yes = ballot.count(isYes)
    const open = ballot.count(({ kind }) => kind === 'none')
    return yes >= this.needed || yes + open < this.needed
  }

  /** `isEmpty`: servers of which it is certain that they have nothing of it. */
  leaseOf(votes: readonly Vote[], from: number, isEmpty: (at: number) => boolean = () => false): Lease {
    const { lease } = votes[0]
    const versions = this.all.map(
      (_, at) => votes.find((vote) => vote.at === at)?.lease.version ?? (isEmpty(at) ? NOTHING : undefined),
    )
    const version = encodeVotes({ owner: lease.holder.owner, versions })
    return { ...lease, version, from, granularityMs: Math.max(...votes.map((vote) => vote.lease.granularityMs)) }
  }

  unavailable(name: string, errors: readonly unknown[]): LockUnavailableError {
    const waits = errors.flatMap((error) =>
      error instanceof LockUnavailableError && error.retryAfterMs !== undefined ? [error.retryAfterMs] : [],
    )
    const words = errors.map((error) => (error instanceof LockUnavailableError ? error.why : String(error)))
    const why = `fewer than ${this.needed} of ${this.all.length} servers answered: ${words.join('; ')}`
    const retryAfterMs = waits.length === 0 ? undefined : Math.min(...waits)
    return new LockUnavailableError(name, why, {
      cause: errors[0],
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    })
  }
}
