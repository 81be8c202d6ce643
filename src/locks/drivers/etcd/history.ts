/**
 * Has the cluster forgotten something? Its revision never goes back, unless it was restored from a backup or begun anew. Then locks
 * that were given after the backup are unknown to it, and what it counts from here on is less than fences that were given before.
 */
import type { Call, Claim } from '../../driver.js'
import { LockUnavailableError } from '../../errors.js'
import type { TxnReply } from './messages.js'

export class History {
  readonly #maxLeaseMs: number
  #clusterId: string | undefined
  /** Since it was last restored, and ever. */
  #floor = 0n
  #highest = 0n
  /** It has not come again to where it was. */
  #isBehind = false
  #restoredAt = Number.NEGATIVE_INFINITY

  constructor(maxLeaseMs: number) {
    this.#maxLeaseMs = maxLeaseMs
  }

  /** What an answer to a request that is sent now must have reached. */
  get floor(): bigint {
    return this.#floor
  }

  saw({ revision, clusterId }: TxnReply, floor: bigint, { clock }: Call): void {
    if (revision < floor || (this.#clusterId ?? clusterId) !== clusterId) {
      this.#restoredAt = clock.now()
      this.#isBehind = true
      this.#floor = 0n
    }
    this.#clusterId = clusterId
    if (revision > this.#floor) this.#floor = revision
    if (revision < this.#highest) return
    this.#highest = revision
    this.#isBehind = false
  }

  /** Throws LockUnavailableError where a lock of this guarantee could be given that another holds, or a fence that is too low. */
  check({ name, guarantee }: Claim, { clock }: Call): void {
    if (guarantee === 'efficiency') return
    const leftMs = this.#restoredAt + this.#maxLeaseMs - clock.now()
    if (leftMs > 0) {
      const why = 'the cluster was restored less than maxLease ago, and may have forgotten who holds it'
      throw new LockUnavailableError(name, why, { retryAfterMs: leftMs })
    }
    if (guarantee === 'lease' || !this.#isBehind) return
    const why = `the cluster was restored: its fences are not yet above ${this.#highest}, which was given before`
    throw new LockUnavailableError(name, why)
  }
}
