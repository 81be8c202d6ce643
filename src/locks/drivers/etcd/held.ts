/** Locks that are there: extended, released, found. */
import type { Call, Found, Lease, Version } from '../../driver.js'
import { LockArgumentError } from '../../errors.js'
import { encodeRecord } from '../record.js'
import { isRegister } from '../register.js'
import type { EtcdApi } from './api.js'
import type { Cluster } from './cluster.js'
import { listed } from './listing.js'
import type { Json } from './messages.js'
import * as places from './places.js'

export class HeldLocks {
  readonly #api: EtcdApi
  readonly #cluster: Cluster
  readonly #maxLeaseMs: number

  constructor(api: EtcdApi, cluster: Cluster, maxLeaseMs: number) {
    this.#api = api
    this.#cluster = cluster
    this.#maxLeaseMs = maxLeaseMs
  }

  async extend(lease: Lease, ttlMs: number, call: Call): Promise<Lease | undefined> {
    const { key, name, holder, fence, version } = lease
    call.signal?.throwIfAborted()
    this.checkLease(name, ttlMs)
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

  /** A longer one could outlive the time for which a restored cluster is not asked. */
  checkLease(lock: string, ttlMs: number): void {
    if (ttlMs <= this.#maxLeaseMs) return
    throw new LockArgumentError(`a lease of ${ttlMs} ms is longer than maxLease, ${this.#maxLeaseMs} ms`, lock)
  }

  async #withLife({ etcdLease, ...found }: places.FoundPlace, call: Call): Promise<Found> {
    const leftMs = etcdLease === 0n ? undefined : await this.#api.timeToLive(etcdLease, found.key, call)
    return { ...found, leftMs }
  }
}
