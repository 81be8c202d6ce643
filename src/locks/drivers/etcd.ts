/**
 * Locks on etcd 3.4 or later, over its documented JSON gateway. A lock is a key with a lease, and who waits has a key behind it: the
 * one that was created first holds, and the revision of its creation is the fence. Every extension attaches the key to a lease that
 * is new, in a transaction which a majority has to agree to: a member that has been paused, and believes that it still leads, keeps
 * leases alive that the others have ended.
 */
import { type Span, spanMs } from '../../time/index.js'
import type { Call, Claim, ClaimResult, Facts, Found, Lease, LockDriver, Registers, Version } from '../driver.js'
import { LockArgumentError, LockUnavailableError, OutcomeUnknownError } from '../errors.js'
import { checkKeys } from '../settings.js'
import { type Account, EtcdApi, type Json, type TxnReply } from './etcd/api.js'
import { Cluster } from './etcd/cluster.js'
import { History } from './etcd/history.js'
import { listed } from './etcd/listing.js'
import * as places from './etcd/places.js'
import { EtcdRegisters } from './etcd/registers.js'
import { type Place, waitTurn } from './etcd/turn.js'
import { Endpoints, type TlsOptions } from './http/endpoints.js'
import { encodeRecord } from './record.js'
import { isRegister } from './register.js'

/** Each has a connection for its watch; more of one driver ask again and again. */
const MOST_WAITERS = 256

export interface EtcdOptions {
  /** Of one cluster, any number of its members: `http://localhost:2379`, which is the default. */
  endpoints?: string | readonly string[]
  /** Where etcd asks for it. */
  username?: string
  password?: string
  /** For `https` endpoints, as Node has them. */
  tls?: TlsOptions
  /**
   * The longest lease that anybody takes. A cluster that is seen to have gone back to a backup is not asked for locks for so long.
   * Default 1m.
   */
  maxLease?: Span
}

/** Throws LockArgumentError for options that make no sense. */
export function etcd(options: EtcdOptions = {}): LockDriver {
  return new EtcdDriver(options)
}

/** For `remake`. */
export default etcd

const OPTIONS = { endpoints: 1, username: 1, password: 1, tls: 1, maxLease: 1 } satisfies Record<keyof EtcdOptions, 1>

class EtcdDriver implements LockDriver {
  readonly kind = 'etcd'
  readonly remake: LockDriver['remake']
  readonly registers: Registers
  readonly #endpoints: Endpoints
  readonly #api: EtcdApi
  readonly #history: History
  readonly #maxLeaseMs: number
  readonly #cluster: Cluster
  #waiters = 0

  constructor(options: EtcdOptions) {
    checkKeys(options, OPTIONS)
    const { endpoints = 'http://localhost:2379', tls, maxLease = '1m' } = options
    const maxLeaseMs = spanMs(maxLease)
    if (maxLeaseMs === undefined || maxLeaseMs <= 0) throw new LockArgumentError("maxLease is a span such as '1m'")
    this.#maxLeaseMs = maxLeaseMs
    this.#endpoints = new Endpoints(endpoints, tls)
    this.#api = new EtcdApi(this.#endpoints, accountOf(options))
    this.#history = new History(maxLeaseMs)
    this.#cluster = new Cluster(this.#api, this.#history)
    this.registers = new EtcdRegisters(this.#cluster)
    this.remake = { module: import.meta.url, options }
  }

  async claim(claim: Claim, call: Call): Promise<ClaimResult> {
    const { key, name, holder, ttlMs, guarantee } = claim
    call.signal?.throwIfAborted()
    this.#checkLease(name, ttlMs)
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
    if (succeeded) return await this.#believed(claim, this.#leaseOf(claim, own, from), call)
    if (waits) return await this.#wait(claim, own, call)
    this.#cluster.giveBack(lease, name, call)
    return { status: 'busy', found: ranges[0] && places.foundIn(ranges[0]), queued: false }
  }

  async extend(lease: Lease, ttlMs: number, call: Call): Promise<Lease | undefined> {
    const { key, name, holder, fence, version } = lease
    call.signal?.throwIfAborted()
    this.#checkLease(name, ttlMs)
    const { place, revision } = places.placeOfVersion(key, version)
    const from = call.clock.now()
    const fresh = await this.#cluster.grant(ttlMs, name, call)
    const puts = places.put(place, encodeRecord(holder, fence ?? 'none'), fresh)
    const txn = { compare: [places.isUnchanged(place, revision)], success: [puts] }
    const reply = await this.#cluster.attach(fresh, txn, name, call)
    // No key is attached any more to the one that is given back.
    this.#cluster.giveBack(reply.succeeded ? reply.previous?.lease : fresh, name, call)
    if (!reply.succeeded) return undefined
    return { ...lease, version: places.versionAt(place, reply.revision), from, granularityMs: 0 }
  }

  async release(key: string, version: Version, call: Call): Promise<boolean> {
    call.signal?.throwIfAborted()
    const { place, revision } = places.placeOfVersion(key, version)
    const txn = { compare: [places.isUnchanged(place, revision)], success: [places.remove(place)] }
    const { succeeded, previous } = await this.#cluster.change(txn, key, call)
    this.#cluster.giveBack(previous?.lease, key, call)
    return succeeded
  }

  async find(key: string, call: Call): Promise<Found | undefined> {
    call.signal?.throwIfAborted()
    const [range] = (await this.#cluster.read([places.firstOf(key)], key, call)).ranges
    const found = range && places.foundIn(range)
    return found && (await this.#withLife(found, call))
  }

  async *list(keyPrefix: string, call: Call): AsyncGenerator<Found> {
    const read = (operation: Json) => this.#cluster.read([operation], keyPrefix, call)
    for await (const found of listed(keyPrefix, read)) {
      call.signal?.throwIfAborted()
      if (!isRegister(found.key)) yield await this.#withLife(found, call)
    }
  }

  async facts(key: string, call: Call): Promise<Facts> {
    const { version, members, where } = await this.#api.status(key, call)
    return {
      what: `etcd ${version} at ${where}, ${members} member${members === 1 ? '' : 's'}`,
      evicts: false,
      survivesRestart: true,
      durable: true,
      granularityMs: 0,
      queues: true,
      replicas: members > 1 ? 'majority' : undefined,
      remote: true,
      notes: [
        'Leases are whole seconds, and 2 at least: after a crash a shorter lock is free so much later.',
        'A cluster that is restored from a backup has forgotten the locks that were given since, and its fences go back. Drivers that were connected before notice, and give no locks for maxLease, and no fences until they are past those from before; new ones cannot: start them after the longest lease, and raise the revision.',
      ],
    }
  }

  async close(): Promise<void> {
    await this.#cluster.settled()
    this.#endpoints.close()
  }

  /** Unless it was given by a cluster that has forgotten what was before: then it is given back. */
  async #believed(claim: Claim, lease: Lease, call: Call): Promise<ClaimResult> {
    try {
      this.#history.check(claim, call)
    } catch (error) {
      await this.release(lease.key, lease.version, { ...call, signal: undefined }).catch(() => {})
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
        const lease = await this.extend(this.#leaseOf(claim, own, clock.now()), claim.ttlMs, call)
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
    const found = await this.find(claim.key, { ...call, signal: undefined }).catch(() => undefined)
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

  #leaseOf({ key, name, holder, guarantee }: Claim, { place, revision }: Place, from: number): Lease {
    const fence = guarantee === 'fenced' ? revision : undefined
    const version = places.versionAt(place, revision)
    return { key, name, holder, guarantee, fence, version, from, granularityMs: 0 }
  }

  async #withLife({ etcdLease, ...found }: places.FoundPlace, call: Call): Promise<Found> {
    const leftMs = etcdLease === 0n ? undefined : await this.#api.timeToLive(etcdLease, found.key, call)
    return { ...found, leftMs }
  }

  /** A longer one could outlive the time for which a restored cluster is not asked. */
  #checkLease(lock: string, ttlMs: number): void {
    if (ttlMs <= this.#maxLeaseMs) return
    throw new LockArgumentError(`a lease of ${ttlMs} ms is longer than maxLease, ${this.#maxLeaseMs} ms`, lock)
  }
}

function accountOf({ username, password = '' }: EtcdOptions): Account | undefined {
  return username === undefined ? undefined : { username, password }
}
