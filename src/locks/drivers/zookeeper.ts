/**
 * Locks on ZooKeeper 3.5 or later. Who wants a lock has an ephemeral node in a queue, and the transaction that created it is the fence.
 * A lease is a session of its own, which nobody prolongs: the leader ends it when its timeout is over. Pings are answered by the server
 * that one is connected to, which tells the leader later, or never; a new session is agreed on by a majority. So every extension begins
 * a new session and replaces the node by one of that, in one transaction.
 */
import type { Call, Claim, ClaimResult, Facts, Found, Lease, LockDriver, Version } from '../driver.js'
import { LockArgumentError } from '../errors.js'
import { checkKeys } from '../settings.js'
import { isRegister } from './register.js'
import { Claims } from './zookeeper/claims.js'
import { Ensemble } from './zookeeper/ensemble.js'
import { factsOf } from './zookeeper/facts.js'
import { HeldLocks } from './zookeeper/held.js'
import { Leases } from './zookeeper/leases.js'
import { Nodes } from './zookeeper/nodes.js'
import { keyOf } from './zookeeper/places.js'
import { ZooKeeperRegisters } from './zookeeper/registers.js'

const CLOSE_MS = 1000

export interface ZooKeeperOptions {
  /** Of one ensemble, any number of its servers: `localhost:2181`, which is the default. */
  servers?: string | readonly string[]
  /** The node that all locks are below; made if it is missing. Default `/latchkey`. */
  root?: string
  /** `user:password`: locks are then this account's only (scheme `digest`). */
  digest?: string
}

/** Throws LockArgumentError for options that make no sense. */
export function zookeeper(options: ZooKeeperOptions = {}): LockDriver {
  return new ZooKeeperDriver(options)
}

/** For `remake`. */
export default zookeeper

const OPTIONS = { servers: 1, root: 1, digest: 1 } satisfies Record<keyof ZooKeeperOptions, 1>
const ROOT = /^(\/[\w-]+)+$/

class ZooKeeperDriver implements LockDriver {
  readonly kind = 'zookeeper'
  readonly remake: LockDriver['remake']
  readonly registers: ZooKeeperRegisters
  readonly #ensemble: Ensemble
  readonly #root: string
  readonly #nodes: Nodes
  readonly #leases: Leases
  readonly #locks: HeldLocks
  readonly #claims: Claims

  constructor(options: ZooKeeperOptions) {
    checkKeys(options, OPTIONS)
    const { servers = 'localhost:2181', root = '/latchkey', digest } = options
    if (!ROOT.test(root)) throw new LockArgumentError('root is a path of letters, digits, - and _, such as /latchkey')
    this.#ensemble = new Ensemble(servers, digest)
    this.#root = root
    this.#nodes = new Nodes(this.#ensemble, root, digest !== undefined)
    this.#leases = new Leases(this.#ensemble)
    this.#locks = new HeldLocks(this.#ensemble, this.#nodes, this.#leases, root)
    this.#claims = new Claims(this.#ensemble, this.#nodes, this.#leases, this.#locks, root)
    this.registers = new ZooKeeperRegisters(this.#ensemble, this.#nodes, root)
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
    return this.#nodes.find(key, call)
  }

  async *list(keyPrefix: string, call: Call): AsyncGenerator<Found> {
    for (const name of await this.#nodes.children(this.#root, keyPrefix, call)) {
      const key = keyOf(name)
      const found = key?.startsWith(keyPrefix) && !isRegister(key) ? await this.find(key, call) : undefined
      if (found !== undefined) yield found
    }
  }

  facts(key: string, call: Call): Promise<Facts> {
    return factsOf(this.#ensemble, key, call)
  }

  async close(): Promise<void> {
    this.#leases.close()
    await this.registers.settled()
    await this.#ensemble.close(CLOSE_MS)
  }
}
