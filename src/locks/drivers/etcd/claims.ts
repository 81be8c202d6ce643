/** Taking a lock, at once or when its turn has come. */
import type { Call, Claim, ClaimResult, Lease } from '../../driver.js'
import { LockUnavailableError, OutcomeUnknownError } from '../../errors.js'
import { encodeRecord } from '../record.js'
import type { EtcdApi } from './api.js'
import type { Cluster } from './cluster.js'
import type { HeldLocks } from './held.js'
import type { History } from './history.js'
import type { TxnReply } from './messages.js'
import * as places from './places.js'
import { type Place, waitTurn } from './turn.js'

/** Each has a connection for its watch; more of one driver ask again and again. */
const MOST_WAITERS = 256

export class Claims {
  readonly #api: EtcdApi
  readonly #cluster: Cluster
  readonly #history: History
  readonly #locks: HeldLocks
  #waiters = 0

  constructor(api: EtcdApi, cluster: Cluster, history: History, locks: HeldLocks) {
    this.#api = api
    this.#cluster = cluster
    this.#history = history
    this.#locks = locks
  }

  async claim(claim: Claim, call: Call): Promise<ClaimResult> {
    const { key, name, holder, ttlMs, guarantee } = claim
    call.signal?.throwIfAborted()
    this.#locks.checkLease(name, ttlMs)
    this.#history.check(claim, call)
    const waits = claim.waitMs >= 1 && this.#waiters < MOST_WAITERS
    const place = places.placeOf(key, holder.owner)
    const from = call.clock.now()
    const lease = await this.#cluster.grant(ttlMs, name, call)
    const record = encodeRecord(holder, guarantee === 'fenced' ? 'token' : 'none')
    const puts = places.put(place, record, lease)
    const txn = { compare: [places.isFree(key)], success: [puts], failure: [waits ? puts : places.firstOf(key)] }
    const asked = this.#cluster.attach(lease, txn, name, call)
    const { succeeded, revision, ranges } = await (waits ? this.#orLeave(asked, lease, claim, call) : asked)
    const own = { place, revision, lease }
    if (succeeded) return await this.#believed(claim, leaseOf(claim, own, from), call)
    if (waits) return await this.#wait(claim, own, call)
    this.#cluster.giveBack(lease, name, call)
    return { status: 'busy', found: ranges[0] && places.foundIn(ranges[0]), queued: false }
  }

  /** Unless it was given by a cluster that has forgotten what was before: then it is given back. */
  async #believed(claim: Claim, lease: Lease, call: Call): Promise<ClaimResult> {
    try {
      this.#history.check(claim, call)
    } catch (error) {
      await this.#locks.release(lease.key, lease.version, { ...call, signal: undefined }).catch(() => {})
      throw error
    }
    return { status: 'held', lease }
  }

  async #wait(claim: Claim, own: Place, call: Call): Promise<ClaimResult> {
    const { clock } = call
    call.onQueued?.()
    this.#waiters++
    try {
      if (await waitTurn(this.#api, claim, own, clock.now() + claim.waitMs, call)) {
        // The lease of the place counts from long ago: the lock is held by a new one.
        const lease = await this.#locks.extend(leaseOf(claim, own, clock.now()), claim.ttlMs, call)
        if (lease !== undefined) return await this.#believed(claim, lease, call)
        throw new LockUnavailableError(claim.name, 'its place in the queue was lost')
      }
    } catch (error) {
      // An extension may have been carried out, and the place be held by another lease.
      if (!(error instanceof OutcomeUnknownError)) await this.#leave(own.lease, claim, error, call)
      throw error
    } finally {
      this.#waiters--
    }
    await this.#leave(own.lease, claim, 'the wait is over', call)
    const found = await this.#locks.find(claim.key, { ...call, signal: undefined }).catch(() => undefined)
    return { status: 'busy', found, queued: true }
  }

  /** A place in the middle of the queue would not be found by who looks whether there is one: it is given up. */
  async #orLeave(asked: Promise<TxnReply>, lease: bigint, claim: Claim, call: Call): Promise<TxnReply> {
    try {
      return await asked
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) throw error
      await this.#leave(lease, claim, error, call)
      throw new LockUnavailableError(claim.name, error.message, { cause: error })
    }
  }

  /** With its lease the place goes, and what may still be on its way cannot come any more. */
  async #leave(lease: bigint, { name }: Claim, reason: unknown, call: Call): Promise<void> {
    try {
      await this.#api.revoke(lease, name, call)
    } catch {
      throw new OutcomeUnknownError(reason)
    }
  }
}

function leaseOf({ key, name, holder, guarantee }: Claim, { place, revision }: Place, from: number): Lease {
  const fence = guarantee === 'fenced' ? revision : undefined
  const version = places.versionAt(place, revision)
  return { key, name, holder, guarantee, fence, version, from, granularityMs: 0 }
}
