/**
 * What is known of the server process behind a connection, and whether it has a vote. A server that has restarted may have forgotten
 * a lock whose lease still runs; after `maxLease`, no such lease can be left.
 */
import type { Session } from '../../../client/index.js'
import type { Call, Claim } from '../../driver.js'
import { LockArgumentError, LockUnavailableError } from '../../errors.js'
import type { Guarantee } from '../../types.js'
import type { VoteRules } from '../vote-rules.js'
import type { Wire } from './dialect.js'
import { sending } from './outcome.js'

/**
 * `uptime` may be ahead by so much: it is in whole seconds, by a clock that ticks once a second, and memcached says 2 in its very
 * first moment.
 */
const UPTIME_GRANULARITY_MS = 3000
const TAG_BITS = 64n

export interface Standing {
  /** Milliseconds; undefined where the server does not tell. */
  readonly uptimeMs: number | undefined
  /** Unix time in seconds, by the server's clock. */
  readonly time: number | undefined
  /** Latchkey with a state directory: it refuses locks itself until the leases of before are over. */
  readonly keepsState: boolean
  /** One number for one process of memcached: its tokens begin anew with each. */
  readonly tag: bigint
}

interface Admitted {
  readonly name: string
  readonly guarantee?: Guarantee | undefined
  readonly ttlMs: number
}

export class Standings {
  readonly #rules: VoteRules
  readonly #known = new WeakMap<Session, Standing>()

  constructor(rules: VoteRules) {
    this.#rules = rules
  }

  get trusting(): boolean {
    return this.#rules.trust
  }

  /** Asked once a connection. */
  async of(client: Wire, session: Session, lock: string, call: Call): Promise<Standing> {
    return this.#known.get(session) ?? this.ask(client, session, lock, call)
  }

  async ask(client: Wire, session: Session, lock: string, call: Call): Promise<Standing> {
    const rows = await statsOf(client, '', session, lock, call)
    const standing = standingOf(rows)
    this.#known.set(session, standing)
    return standing
  }

  /** What `vote` would find out, where that is known already. */
  hasVote(session: Session, { name, guarantee, ttlMs }: Claim): boolean {
    if (guarantee === 'efficiency') return true
    const known = this.#known.get(session)
    if (known === undefined || known.keepsState) return known !== undefined
    this.#checkLease(name, ttlMs)
    return this.#rules.trust || this.#missingMs(known, name) <= 0
  }

  /** Throws where this server must not be asked for this lock now, or ever. */
  async vote(client: Wire, session: Session, { name, guarantee, ttlMs }: Claim, call: Call): Promise<void> {
    const known = await this.admit(client, session, { name, guarantee, ttlMs }, call)
    if (known === undefined) return
    if (this.#rules.trust || this.#missingMs(known, name) <= 0) return
    // Not by our clock: its pace is not the server's, and it may be set.
    const missingMs = this.#missingMs(await this.ask(client, session, name, call), name)
    if (missingMs <= 0) return
    const cure = session.latchkey ? '; with --state-dir it would know' : ''
    const why = `${session.server} started less than maxLease ago, and may have forgotten who holds it${cure}`
    throw new LockUnavailableError(name, why, { retryAfterMs: missingMs })
  }

  /**
   * Throws LockArgumentError for a lease, new or extended, that is too long for a server that forgets. undefined where it does not
   * matter when the server has started.
   */
  async admit(
    client: Wire,
    session: Session,
    { name, guarantee, ttlMs }: Admitted,
    call: Call,
  ): Promise<Standing | undefined> {
    if (guarantee === 'efficiency') return undefined
    const known = await this.of(client, session, name, call)
    if (known.keepsState) return undefined
    this.#checkLease(name, ttlMs)
    return known
  }

  /** A longer lease could outlive the time in which a restarted server has no vote. */
  #checkLease(lock: string, ttlMs: number): void {
    const { maxLeaseMs } = this.#rules
    if (ttlMs <= maxLeaseMs) return
    throw new LockArgumentError(
      `a lease of ${ttlMs} ms is longer than maxLease, ${maxLeaseMs} ms, for which servers that have restarted are not trusted`,
      lock,
    )
  }

  #missingMs({ uptimeMs }: Standing, lock: string): number {
    if (uptimeMs !== undefined) return this.#rules.maxLeaseMs + UPTIME_GRANULARITY_MS - uptimeMs
    throw new LockUnavailableError(lock, 'the server does not tell how long it has been running (stats: uptime)')
  }
}

/** The statistics of the server behind the session. */
export async function statsOf(
  client: Wire,
  group: string,
  session: Session,
  lock: string,
  { deadlineMs, signal }: Call,
): Promise<Record<string, string>> {
  const options = signal === undefined ? { session, deadlineMs } : { session, deadlineMs, signal }
  const stats = await sending(lock, 'asks', client.stats(group, options))
  return stats.get(session.server) ?? {}
}

/** A token with the process that gave it. */
export function versionOf(cas: bigint, { tag }: Standing): bigint {
  return (tag << TAG_BITS) | cas
}

/** The token, if it is one of this process. */
export function tokenOf(version: bigint, { tag }: Standing): bigint | undefined {
  return version >> TAG_BITS === tag ? BigInt.asUintN(Number(TAG_BITS), version) : undefined
}

function standingOf(rows: Record<string, string>): Standing {
  const uptime = numberOf(rows.uptime)
  const time = numberOf(rows.time)
  return {
    uptimeMs: uptime === undefined ? undefined : uptime * 1000,
    time,
    keepsState: rows.lock_state === 'kept',
    tag: tagOf(rows, uptime === undefined || time === undefined ? 0 : time - uptime),
  }
}

/** memcached counts `time` and `uptime` by one clock, so that their difference is always the same. */
function tagOf({ incarnation, pid }: Record<string, string>, startedAt: number): bigint {
  if (incarnation !== undefined && /^[0-9a-f]{16,}$/.test(incarnation)) return BigInt(`0x${incarnation.slice(0, 16)}`)
  return (BigInt(startedAt) << 32n) | BigInt(numberOf(pid) ?? 0)
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
