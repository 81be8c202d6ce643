/**
 * Locks on stock memcached, whose clock ticks once a second, and whose tokens begin anew with each start: a version therefore names
 * the process too. A fence takes three steps: add the record, draw from a counter, and swap the fence into the record. Only if
 * that swap succeeds is the lock held: then nobody else can have held it since the add, and so the order of fences is the order
 * of holders.
 *
 * A server that was stopped and goes on (SIGSTOP, a suspended machine) may carry out what waited for it before its clock has ticked
 * again: what it stores then lives as if it had been stored when it was stopped. So no life is believed in that was given by
 * the first answer to a request of ours. It is asked something else before, and the lease counts from before that: whoever has
 * answered was not stopped until then. For a fence it is asked often enough, and `efficiency` does without.
 */
import type { Claim, ClaimResult, Found, Lease } from '../../driver.js'
import { LockArgumentError, LockUnavailableError, OutcomeUnknownError } from '../../errors.js'
import { decodeRecord, encodeRecord, type Fence, FOREIGN } from '../record.js'
import type { Dialect, Line } from './dialect.js'
import { Fences } from './fences.js'
import { raiseOnLatchkey, raiseOnStock } from './floors.js'
import { add, type Item, read, remove, swap } from './items.js'
import { type Standing, type Standings, tokenOf, versionOf } from './standing.js'

const GRANULARITY_MS = 1000
const LEAST_LEASE_MS = 2000
/**
 * Its ticks come a little more than a second apart, so that now and then one skips a second, and what was stored just before lives
 * a second less once more. That second is added to every life.
 */
const SKIPPED_S = 1
/** A greater number of seconds, with that one, would mean a moment. */
const MOST_LEASE_MS = (30 * 86_400 - SKIPPED_S) * 1000

export class StockDialect implements Dialect {
  readonly #standings: Standings
  readonly #fences = new Fences()

  constructor(standings: Standings) {
    this.#standings = standings
  }

  async claim(claim: Claim, line: Line): Promise<ClaimResult> {
    const { key, name, holder, ttlMs, guarantee } = claim
    const seconds = secondsOf(name, ttlMs)
    const standing = await this.#standing(line, name)
    const from = line.call.clock.now()
    const fenced = guarantee === 'fenced'
    const found = guarantee === 'lease' ? await this.find(key, line) : undefined
    if (found !== undefined) return { status: 'busy', found, queued: false }
    // The abort may have come with the answer.
    line.call.signal?.throwIfAborted()
    const added = await add(key, encodeRecord(holder, fenced ? 'token' : 'none'), seconds, line)
    if (added.cas === undefined) return this.#busy(key, added.found, standing, line)
    const { cas } = added
    if (claim.fence !== undefined) return this.#raiseAndSwap(claim, claim.fence, { cas, seconds, from }, standing, line)
    if (!fenced) return { status: 'held', lease: leaseOf(claim, undefined, versionOf(cas, standing), from) }
    // On Latchkey the token of the add is the fence, also for a client that was told to speak the classic protocol.
    if (line.session.latchkey) return { status: 'held', lease: leaseOf(claim, cas, versionOf(cas, standing), from) }
    const fence = await this.#drawOrLeave(key, cas, standing, line)
    const swapped = await afterAdd(swap(key, encodeRecord(holder, fence), seconds, cas, line))
    // Our item has ended or was deleted meanwhile: somebody else may have had the lock.
    if (swapped.cas === undefined) return this.#busy(key, swapped.found, standing, line)
    return { status: 'held', lease: leaseOf(claim, fence, versionOf(swapped.cas, standing), from) }
  }

  async extend(lease: Lease<bigint>, ttlMs: number, line: Line): Promise<Lease | undefined> {
    const { key, name, holder, fence, version, guarantee } = lease
    const seconds = secondsOf(name, ttlMs)
    const standing = await this.#standing(line, name)
    const cas = tokenOf(version, standing)
    if (cas === undefined) return undefined
    const from = line.call.clock.now()
    if (guarantee !== 'efficiency' && (await read(key, line))?.cas !== cas) return undefined
    const swapped = await swap(key, encodeRecord(holder, fence ?? 'none'), seconds, cas, line)
    if (swapped.cas === undefined) return undefined
    // The lease may come from a record that was read, and not from this server's claim.
    return { ...lease, version: versionOf(swapped.cas, standing), from, granularityMs: GRANULARITY_MS }
  }

  async release(key: string, version: bigint, line: Line): Promise<boolean> {
    const cas = tokenOf(version, await this.#standing(line, key))
    return cas !== undefined && remove(key, cas, line)
  }

  async find(key: string, line: Line): Promise<Found<bigint> | undefined> {
    const standing = await this.#standing(line, key)
    const item = await read(key, line)
    return item && foundOf(key, item, standing, line)
  }

  #standing({ client, session, call }: Line, lock: string): Promise<Standing> {
    return this.#standings.of(client, session, lock, call)
  }

  #busy(key: string, item: Item | undefined, standing: Standing, line: Line): ClaimResult {
    const found = item && foundOf(key, item, standing, line)
    this.#fences.saw(key, found?.fence, line)
    return { status: 'busy', found, queued: false }
  }

  /** The floor is raised once the record is there: whoever held the lock before has raised it before that. */
  async #raiseAndSwap(
    claim: Claim,
    fence: bigint,
    { cas, seconds, from }: { cas: bigint; seconds: number; from: number },
    standing: Standing,
    line: Line,
  ): Promise<ClaimResult> {
    const { key, holder } = claim
    const [floor, swapped] = await afterAdd(
      Promise.all([this.raise(key, fence, line), swap(key, encodeRecord(holder, fence), seconds, cas, line)]),
    )
    if (swapped.cas === undefined) return this.#busy(key, swapped.found, standing, line)
    return { status: 'held', lease: leaseOf(claim, fence, versionOf(swapped.cas, standing), from), floor }
  }

  raise(key: string, fence: bigint, line: Line): Promise<bigint> {
    return line.session.latchkey && line.session.meta
      ? raiseOnLatchkey(key, fence, line)
      : raiseOnStock(key, fence, line)
  }

  /** The fence; what was added for it does not stay when there is none to be had. */
  async #drawOrLeave(key: string, cas: bigint, standing: Standing, line: Line): Promise<bigint> {
    let reason: unknown
    try {
      const fence = await this.#fences.draw(key, cas, standing, line)
      if (!line.call.signal?.aborted) return fence
      reason = line.call.signal.reason
    } catch (error) {
      reason = error
    }
    await afterAdd(remove(key, cas, line))
    // A draw that may or may not have been done harms nobody.
    throw reason instanceof OutcomeUnknownError
      ? new LockUnavailableError(key, `no fence: ${reason.message}`, { cause: reason })
      : reason
  }
}

/** Once the record is there, what cannot be done to it leaves it there. */
async function afterAdd<R>(step: Promise<R>): Promise<R> {
  try {
    return await step
  } catch (error) {
    throw error instanceof OutcomeUnknownError ? error : new OutcomeUnknownError(error)
  }
}

function leaseOf(claim: Claim, fence: bigint | undefined, version: bigint, from: number): Lease {
  const { key, name, holder, guarantee } = claim
  return { key, name, holder, guarantee, fence, version, from, granularityMs: GRANULARITY_MS }
}

function foundOf(key: string, item: Item, standing: Standing, line: Line): Found<bigint> {
  const { holder, fence } = decodeRecord(item.value) ?? FOREIGN
  const version = versionOf(item.cas, standing)
  return { key, holder, fence: numberOf(fence, item.cas, line), version, leftMs: item.leftMs, waiters: undefined }
}

/** Without a number there is no fence on memcached: the token is none there, and the lock is not held yet. */
function numberOf(fence: Fence, token: bigint, { session }: Line): bigint | undefined {
  if (fence === 'token' && session.latchkey) return token
  return typeof fence === 'bigint' ? fence : undefined
}

/** Longer rather than shorter. */
function secondsOf(lock: string, ttlMs: number): number {
  if (ttlMs >= LEAST_LEASE_MS && ttlMs <= MOST_LEASE_MS) return Math.ceil(ttlMs / 1000) + SKIPPED_S
  throw new LockArgumentError(`on memcached a lease is 2 seconds to 30 days less a second, not ${ttlMs} ms`, lock)
}
