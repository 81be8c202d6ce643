/**
 * Locks on one Redis or Valkey, which has each under its key, for the time of the lease. What has to be one step is a script there. Who
 * waits stands in a queue kept by those scripts, and is told when it has its turn.
 */
import type { Span } from '../../time/index.js'
import type { Call, Claim, ClaimResult, Facts, Found, Lease, LockDriver, Registers, Version } from '../driver.js'
import { LockArgumentError } from '../errors.js'
import type { Guarantee } from '../types.js'
import { lifeMs } from './life.js'
import { encodeAnew } from './record.js'
import { Claims } from './redis/claims.js'
import { checkClient, type RedisClient } from './redis/connection.js'
import { factsOf, rowsOf } from './redis/facts.js'
import { foundOf } from './redis/found.js'
import { type Effect, Link, type Request } from './redis/link.js'
import { RedisRegisters } from './redis/registers.js'
import { EXTEND, FIND, queueOf, RELEASE } from './redis/scripts.js'
import { isRegister } from './register.js'
import { rulesOf, type VoteRules } from './vote-rules.js'

export type { IoredisClient, NodeRedisClient, RedisClient } from './redis/connection.js'

export interface RedisLockOptions {
  /**
   * A client of `ioredis` or `redis`, whose options tell how to connect. It is used for nothing else, and need not be connected; its
   * `keyPrefix` is not used.
   */
  client: RedisClient
  /**
   * The longest lease that anybody takes on this Redis. For so long a Redis that has restarted, has taken over, was flushed or never
   * had a lock before gives none (LockUnavailableError). All who use it have to agree. Not for the guarantee `efficiency`. Default 1m.
   */
  maxLease?: Span
  /** `trust`: believe a Redis however new it is, as in tests. Default `wait`. */
  freshServers?: 'wait' | 'trust'
}

/** Throws LockArgumentError for options that make no sense. */
export function redis({ client, maxLease, freshServers, ...unknown }: RedisLockOptions): LockDriver {
  for (const name in unknown) throw new LockArgumentError(`there is no option ${name} here`)
  return new RedisDriver(checkClient(client), rulesOf(maxLease, freshServers))
}

class RedisDriver implements LockDriver {
  readonly kind = 'redis'
  /** A client cannot be sent to another thread. */
  readonly remake = undefined
  readonly registers: Registers
  readonly #link: Link
  readonly #claims: Claims
  readonly #rules: VoteRules

  constructor(client: RedisClient, rules: VoteRules) {
    this.#link = new Link(client)
    this.#claims = new Claims(this.#link)
    this.registers = new RedisRegisters(this.#link)
    this.#rules = rules
  }

  async claim(claim: Claim, call: Call): Promise<ClaimResult> {
    this.#checkLease(claim, claim.ttlMs)
    return this.#claims.claim(claim, this.#graceMs(claim.guarantee), call)
  }

  async extend(lease: Lease, ttlMs: number, call: Call): Promise<Lease | undefined> {
    const { key, name, holder, fence, version } = lease
    this.#checkLease(lease, ttlMs)
    const record = encodeAnew(holder, fence ?? 'none')
    const from = call.clock.now()
    const args = [`${version}`, record, `${lifeMs(ttlMs)}`]
    const next = await this.#link.run(EXTEND, [key], args, requestOf(name, 'changes', call))
    return typeof next === 'string' ? { ...lease, version: next, from, granularityMs: 0 } : undefined
  }

  async release(key: string, version: Version, call: Call): Promise<boolean> {
    const done = await this.#link.run(RELEASE, [key, queueOf(key)], [`${version}`], requestOf(key, 'changes', call))
    return done === 1
  }

  async find(key: string, call: Call): Promise<Found | undefined> {
    const reply = await this.#link.run(FIND, [key, queueOf(key)], [], requestOf(key, 'asks', call))
    if (!Array.isArray(reply)) return undefined
    const [record, version, leftMs, waiters] = reply
    return foundOf(key, record, version, leftMs, waiters)
  }

  async *list(keyPrefix: string, call: Call): AsyncGenerator<Found> {
    const pattern = `${keyPrefix.replace(/[\\*?[\]]/g, '\\$&')}*`
    const seen = new Set<string>()
    let cursor = '0'
    do {
      const args = [cursor, 'MATCH', pattern, 'COUNT', '500', 'TYPE', 'string']
      const [next, keys] = (await this.#link.ask('SCAN', args, keyPrefix, call)) as [string, string[]]
      const fresh = keys.filter((key) => !seen.has(key) && !isRegister(key))
      const found = await Promise.all(fresh.map((key) => this.find(key, call)))
      for (const each of found) {
        if (each === undefined || seen.has(each.key)) continue
        seen.add(each.key)
        yield each
      }
      cursor = next
    } while (cursor !== '0')
  }

  async facts(key: string, call: Call): Promise<Facts> {
    const info = rowsOf(`${await this.#link.ask('INFO', [], key, call)}`)
    const [appendfsync, minReplicas] = await Promise.all([
      this.#setting('appendfsync', key, call),
      this.#setting('min-replicas-to-write', key, call),
    ])
    const replicas = minReplicas === undefined ? undefined : Number(minReplicas)
    return factsOf({ info, appendfsync, minReplicas: replicas }, !this.#rules.trust)
  }

  async close(): Promise<void> {
    this.#claims.close()
    this.#link.close()
  }

  /** undefined where it may not be asked, as with most of those who rent a Redis out. */
  async #setting(name: string, lock: string, call: Call): Promise<string | undefined> {
    const reply = await this.#link.ask('CONFIG', ['GET', name], lock, call).catch(() => undefined)
    return Array.isArray(reply) ? reply[1] : (reply as Record<string, string> | undefined)?.[name]
  }

  #graceMs(guarantee: Guarantee | undefined): number {
    return this.#rules.trust || guarantee === 'efficiency' ? -1 : this.#rules.maxLeaseMs
  }

  /** A longer lease could outlive the time in which a Redis that has forgotten it gives none. */
  #checkLease({ name, guarantee }: Pick<Lease, 'name' | 'guarantee'>, ttlMs: number): void {
    const { maxLeaseMs } = this.#rules
    if (guarantee === 'efficiency' || ttlMs <= maxLeaseMs) return
    throw new LockArgumentError(
      `a lease of ${ttlMs} ms is longer than maxLease, ${maxLeaseMs} ms, for which a Redis that has restarted is not trusted`,
      name,
    )
  }
}

function requestOf(lock: string, effect: Effect, call: Call): Request {
  return { lock, effect, call }
}
