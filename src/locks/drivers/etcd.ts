/**
 * Locks on etcd 3.4 or later, over its documented JSON gateway. A lock is a key with a lease, and who waits has a key behind it: the
 * one that was created first holds, and the revision of its creation is the fence. Every extension attaches the key to a lease that
 * is new, in a transaction which a majority has to agree to: a member that has been paused, and believes that it still leads, keeps
 * leases alive that the others have ended.
 */
import { type Span, spanMs } from '../../time/index.js'
import type { Call, Claim, ClaimResult, Facts, Found, Lease, LockDriver, Registers, Version } from '../driver.js'
import { LockArgumentError } from '../errors.js'
import { checkKeys } from '../settings.js'
import { EtcdApi } from './etcd/api.js'
import { Claims } from './etcd/claims.js'
import { Cluster } from './etcd/cluster.js'
import { factsOf } from './etcd/facts.js'
import { type Account, Gateway } from './etcd/gateway.js'
import { HeldLocks } from './etcd/held.js'
import { History } from './etcd/history.js'
import { EtcdRegisters } from './etcd/registers.js'
import { Endpoints, type TlsOptions } from './http/endpoints.js'

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
  readonly #cluster: Cluster
  readonly #claims: Claims
  readonly #locks: HeldLocks

  constructor(options: EtcdOptions) {
    checkKeys(options, OPTIONS)
    const { endpoints = 'http://localhost:2379', tls, maxLease = '1m' } = options
    const maxLeaseMs = spanMs(maxLease)
    if (maxLeaseMs === undefined || maxLeaseMs <= 0) throw new LockArgumentError("maxLease is a span such as '1m'")
    this.#endpoints = new Endpoints(endpoints, tls)
    this.#api = new EtcdApi(new Gateway(this.#endpoints, accountOf(options)))
    const history = new History(maxLeaseMs)
    this.#cluster = new Cluster(this.#api, history)
    this.#locks = new HeldLocks(this.#api, this.#cluster, maxLeaseMs)
    this.#claims = new Claims(this.#api, this.#cluster, history, this.#locks)
    this.registers = new EtcdRegisters(this.#cluster)
    this.remake = { module: import.meta.url, options }
  }

  claim(claim: Claim, call: Call): Promise<ClaimResult> {
    return this.#claims.claim(claim, call)
  }

  extend(lease: Lease, ttlMs: number, call: Call): Promise<Lease | undefined> {
    return this.#locks.extend(lease, ttlMs, call)
  }

  release(key: string, version: Version, call: Call): Promise<boolean> {
    return this.#locks.release(key, version, call)
  }

  find(key: string, call: Call): Promise<Found | undefined> {
    return this.#locks.find(key, call)
  }

  list(keyPrefix: string, call: Call): AsyncIterable<Found> {
    return this.#locks.list(keyPrefix, call)
  }

  facts(key: string, call: Call): Promise<Facts> {
    return factsOf(this.#api, key, call)
  }

  async close(): Promise<void> {
    await this.#cluster.settled()
    this.#endpoints.close()
  }
}

function accountOf({ username, password = '' }: EtcdOptions): Account | undefined {
  return username === undefined ? undefined : { username, password }
}
