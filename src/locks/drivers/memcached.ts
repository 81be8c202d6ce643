/**
 * Locks on memcached servers, Latchkey or stock, each key on its one server. What is done depends on what that server can do, and every
 * request is tied to the connection over which that was found out: behind another there may be another process.
 */
import { Client, type ClientOptions, createClient, InvalidArgumentError, type Session } from '../../client/index.js'
import type { Span } from '../../time/index.js'
import type { Call, Claim, ClaimResult, Facts, Found, Lease, LockDriver, Registers } from '../driver.js'
import { type Environment, systemTimer } from '../environment.js'
import { Contended } from './memcached/contended.js'
import { type Dialect, type Line, speaksLatchkey, type Wire } from './memcached/dialect.js'
import { factsOf } from './memcached/facts.js'
import { claimWithFence, latchkey, tryAdd } from './memcached/latchkey.js'
import { Lines, lineOf } from './memcached/lines.js'
import { keysUnder } from './memcached/listing.js'
import { rawViewOf } from './memcached/raw.js'
import { MemcachedRegisters } from './memcached/registers.js'
import { Standings } from './memcached/standing.js'
import { StockDialect } from './memcached/stock.js'
import { wait } from './memcached/wait.js'
import { Waiters } from './memcached/waiters.js'
import { rulesOf, type VoteRules } from './vote-rules.js'

export interface MemcachedLockOptions {
  /**
   * The longest lease that anybody takes on these servers. A server that has been running for less than this may have forgotten
   * a lock, and is refused (LockUnavailableError). All who use the same servers have to agree. Not used on Latchkey with a state
   * directory, which sees to that itself, and not for locks of the guarantee `efficiency`. Default 1m.
   */
  maxLease?: Span
  /** `trust`: believe servers however new they are, as in tests. Default `wait`. */
  freshServers?: 'wait' | 'trust'
}

/** As for `createClient`, without what is about values and misses. */
export type MemcachedOptions = MemcachedLockOptions &
  Omit<ClientOptions<never>, 'codec' | 'ttl' | 'keyPrefix' | 'policy' | 'gutter' | 'deadlineMs'>

/**
 * Locks on one memcached server, or on several, of which each name has one. A client that is given stays open when the driver is
 * closed; its `keyPrefix` is not used. Throws InvalidArgumentError or LockArgumentError for options that make no sense.
 */
// biome-ignore lint/suspicious/noExplicitAny: its values are not touched
export function memcached(client: Client<any>, options?: MemcachedLockOptions): LockDriver
export function memcached(options?: MemcachedOptions): LockDriver
// biome-ignore lint/suspicious/noExplicitAny: as above
export function memcached(from: Client<any> | MemcachedOptions = {}, more: MemcachedLockOptions = {}): LockDriver {
  if (from instanceof Client) {
    const { maxLease, freshServers, ...unknown } = more
    for (const name in unknown) throw new InvalidArgumentError(`there is no option ${name} here`)
    return new MemcachedDriver(rawViewOf(from), rulesOf(maxLease, freshServers), undefined)
  }
  const { maxLease, freshServers, ...options } = from
  const rules = rulesOf(maxLease, freshServers)
  return new MemcachedDriver(rawViewOf(createClient(options)), rules, from)
}

/**
 * The same over anything that does what a client does: values are bytes, keys are taken as they are, no policy but `fail`. It stays
 * open when the driver is closed. `timer`: for those who have time of their own. Throws LockArgumentError for options that make no
 * sense.
 */
export function memcachedOver(
  wire: Wire,
  { maxLease, freshServers }: MemcachedLockOptions = {},
  timer?: Environment['timer'],
): LockDriver {
  return new MemcachedDriver(wire, rulesOf(maxLease, freshServers), undefined, timer)
}

/** For `remake`. */
export default memcached

class MemcachedDriver implements LockDriver {
  readonly kind = 'memcached'
  readonly remake: LockDriver['remake']
  readonly registers: Registers
  readonly #client: Wire
  readonly #lines: Lines
  readonly #owned: boolean
  readonly #standings: Standings
  readonly #stock: StockDialect
  readonly #waiters: Waiters
  readonly #contended = new Contended()

  /** `options` are those that the client was made of, if it was made for this driver. */
  constructor(
    wire: Wire,
    rules: VoteRules,
    options: MemcachedOptions | undefined,
    timer: Environment['timer'] = systemTimer,
  ) {
    this.#client = wire
    this.#lines = new Lines(wire)
    this.#owned = options !== undefined
    this.#standings = new Standings(rules)
    this.registers = new MemcachedRegisters(this.#lines, this.#standings)
    this.#stock = new StockDialect(this.#standings)
    this.#waiters = new Waiters(() => this.#client.duplicate(), timer)
    this.remake = isCloneable(options) ? { module: import.meta.url, options } : undefined
  }

  async claim(claim: Claim, call: Call): Promise<ClaimResult> {
    const line = this.#lines.now(claim.key, call) ?? (await this.#lines.get(claim.key, call))
    if (!this.#standings.hasVote(line.session, claim)) {
      await this.#standings.vote(line.client, line.session, claim, call)
    }
    if (claim.fence !== undefined && speaksLatchkey(line.session)) return this.#vote(claim, claim.fence, line)
    if (claim.waitMs < 1 || !speaksLatchkey(line.session)) return await this.#dialect(line.session).claim(claim, line)
    // Most locks are free: only who has to wait needs a connection for it.
    if (!this.#contended.has(claim.key, call.clock.now())) {
      const lease = await tryAdd(claim, line)
      if (lease !== undefined) return { status: 'held', lease }
      this.#contended.note(claim.key, call.clock.now())
    }
    return this.#wait(claim, call, line.session.server)
  }

  async extend(lease: Lease<bigint>, ttlMs: number, call: Call): Promise<Lease | undefined> {
    const line = this.#lines.now(lease.key, call) ?? (await this.#lines.get(lease.key, call))
    await this.#standings.admit(line.client, line.session, { ...lease, ttlMs }, call)
    return this.#dialect(line.session).extend(lease, ttlMs, line)
  }

  async release(key: string, version: bigint, call: Call): Promise<boolean> {
    const line = this.#lines.now(key, call) ?? (await this.#lines.get(key, call))
    return await this.#dialect(line.session).release(key, version, line)
  }

  async raise(key: string, fence: bigint, call: Call): Promise<bigint> {
    const line = this.#lines.now(key, call) ?? (await this.#lines.get(key, call))
    return await this.#dialect(line.session).raise(key, fence, line)
  }

  async find(key: string, call: Call): Promise<Found | undefined> {
    const line = await this.#lines.get(key, call)
    return this.#dialect(line.session).find(key, line)
  }

  async *list(keyPrefix: string, call: Call): AsyncGenerator<Found> {
    for await (const key of keysUnder(keyPrefix, this.#client, call)) {
      const found = await this.find(key, call)
      if (found !== undefined) yield found
    }
  }

  async facts(key: string, call: Call): Promise<Facts> {
    const line = await this.#lines.get(key, call)
    const standing = await this.#standings.of(line.client, line.session, key, call)
    return factsOf(key, line, standing, !this.#standings.trusting)
  }

  async close(): Promise<void> {
    await this.#waiters.close()
    if (this.#owned) await this.#client.close()
  }

  /** One of several servers that are asked for a lock. */
  async #vote(claim: Claim, fence: bigint, line: Line): Promise<ClaimResult> {
    const { clock } = line.call
    const result = await claimWithFence(claim, fence, line, this.#contended.has(claim.key, clock.now()))
    if (result.status === 'busy') this.#contended.note(claim.key, clock.now())
    return result
  }

  /** On a connection of its own, whose server has to be asked whether it has a vote just as well. */
  async #wait(claim: Claim, call: Call, server: string): Promise<ClaimResult> {
    const client = this.#waiters.take(server)
    if (client === undefined) {
      const line = await this.#lines.get(claim.key, call)
      // It may be another process than the one that had a vote just now.
      await this.#standings.vote(line.client, line.session, claim, call)
      return latchkey.claim(claim, line)
    }
    let reusable = false
    call.onQueued?.()
    try {
      const line = await lineOf(client, claim.key, call)
      await this.#standings.vote(client, line.session, claim, call)
      const result = await wait(claim, line, () => this.#lines.get(claim.key, { ...call, signal: undefined }))
      reusable = true
      return result
    } finally {
      if (reusable) this.#waiters.put(server, client)
      else this.#waiters.drop(client)
    }
  }

  #dialect(session: Session): Dialect {
    return speaksLatchkey(session) ? latchkey : this.#stock
  }
}

/** Options may hold functions, of node:tls for one: then no other thread can have them. */
function isCloneable(options: MemcachedOptions | undefined): boolean {
  if (options === undefined) return false
  try {
    structuredClone(options)
    return true
  } catch {
    return false
  }
}
