/**
 * Read-through that computes once across all processes. The server chooses one caller by the win flag of its meta
 * commands: `N` makes a placeholder of a missing item and tells its maker that it has won; `R` does so for an item whose
 * time is nearly over. Everybody else is told that another caller is at it, and takes the old value, or waits.
 */

import { Backoff } from '../time/index.js'
import type { Client } from './client.js'
import type { Codec, Encoded } from './codec.js'
import type { Computations } from './computations.js'
import { CacheError, UnsupportedError } from './errors.js'
import { pause } from './patience.js'
import { exptimeOf, remainingMs, type Ttl } from './ttl.js'
import type { Key, MetaReply } from './types.js'
import type { Winners } from './winners.js'

const FIRST_PAUSE_MS = 2
const LONGEST_PAUSE_MS = 50

export interface FetchPlan<T> {
  readonly client: Client<T>
  readonly key: Key
  /** One name for one key. */
  readonly id: string
  readonly ttl: Ttl | undefined
  /** Seconds past the ttl in which the old value may still be served; 0 for none. */
  readonly staleSeconds: number
  /** Seconds until a winner that does not come back is given up. */
  readonly leaseSeconds: number
  readonly compute: () => T | Promise<T>
  readonly codec: Codec<T>
  readonly winners: Winners
  readonly computations: Computations
  /** Whether an error of the cache means to compute without it. */
  readonly doesWithout: (error: unknown) => boolean
  /** The caller's patience. */
  readonly wait: (result: Promise<T>) => Promise<T>
}

/** Every caller looks for himself, so that an old value goes to all; only who has to wait, waits with the others. */
export async function fetch<T>(plan: FetchPlan<T>): Promise<T> {
  let reply: MetaReply
  try {
    reply = await look(plan)
  } catch (error) {
    if (error instanceof UnsupportedError) return together(plan, () => fetchPlainly(plan))
    if (plan.doesWithout(error)) return together(plan, async () => plan.compute())
    throw error
  }
  if (hasWon(reply)) return plan.computations.lead(plan.codec, plan.id, computeAsChosen(plan, reply))
  if (isPlaceholder(reply)) return together(plan, (isWanted) => awaitValue(plan, isWanted))
  if (!isOverdue(plan, reply)) return decoded(plan, reply)
  await giveBack(plan, reply).catch(ignoreCacheErrors)
  return fetch(plan)
}

function look<T>({ client, key, staleSeconds, leaseSeconds }: FetchPlan<T>): Promise<MetaReply> {
  const flags = ['v', 'f', 'c', 't', `N${leaseSeconds}`]
  if (staleSeconds > 0) flags.push(`R${staleSeconds}`)
  return client.meta('mg', key, flags)
}

function together<T>(plan: FetchPlan<T>, begin: (isWanted: () => boolean) => Promise<T>): Promise<T> {
  return plan.computations.join(plan.codec, plan.id, begin, plan.wait)
}

/** Another process is at it, or was: the server gives up its placeholder when the lease is over, and chooses anew. */
async function awaitValue<T>(plan: FetchPlan<T>, isWanted: () => boolean): Promise<T> {
  const backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS)
  for (;;) {
    await pause(backoff.next())
    if (!isWanted()) throw new Error('nobody waits any more')
    const reply = await look(plan)
    if (hasWon(reply)) return computeAsChosen(plan, reply)
    if (!isPlaceholder(reply)) return decoded(plan, reply)
  }
}

function hasWon(reply: MetaReply): boolean {
  return reply.flags.includes('W')
}

function decoded<T>({ codec }: FetchPlan<T>, reply: MetaReply): T {
  return codec.decode(reply.value!, Number(flagOf(reply, 'f')))
}

/**
 * Empty, and somebody is at it. An empty value that is computed anew before its time looks the same; taking it for a
 * placeholder costs waiting, never a wrong value.
 */
function isPlaceholder(reply: MetaReply): boolean {
  return reply.value === undefined || (reply.value.length === 0 && isBeingComputed(reply) && !reply.flags.includes('X'))
}

function isBeingComputed(reply: MetaReply): boolean {
  return reply.flags.includes('Z')
}

/** The server remembers a winner as long as the item: that one does not come back is for the others to notice. */
function isOverdue<T>({ winners, id, leaseSeconds }: FetchPlan<T>, reply: MetaReply): boolean {
  if (isBeingComputed(reply)) return winners.isOverdue(id, flagOf(reply, 'c'), leaseSeconds * 1000)
  winners.forget(id)
  return false
}

async function computeAsChosen<T>(plan: FetchPlan<T>, won: MetaReply): Promise<T> {
  plan.winners.forget(plan.id)
  let value: T
  let encoded: Encoded
  try {
    value = await plan.compute()
    encoded = plan.codec.encode(value)
  } catch (error) {
    await giveBack(plan, won).catch(ignoreCacheErrors)
    throw error
  }
  // Only over what was there when it was begun: who has written or deleted since knows better.
  await store(plan, won, encoded, exptime(plan)).catch(ignoreCacheErrors)
  return value
}

/** The item outlives its time by as long as it may be served stale. */
function exptime<T>({ ttl, staleSeconds }: FetchPlan<T>): number {
  const now = Date.now()
  const lifeMs = remainingMs(ttl, now) + staleSeconds * 1000
  return lifeMs === Number.POSITIVE_INFINITY ? 0 : exptimeOf(new Date(now + lifeMs), now)
}

/**
 * Lets the next caller win: the placeholder goes, and an old value is written as it was, which clears the server's mark.
 * (Marking it stale, `md I`, would let any plain read win, which computes nothing.)
 */
async function giveBack<T>(plan: FetchPlan<T>, seen: MetaReply): Promise<void> {
  const { value } = seen
  if (value === undefined || value.length === 0) {
    await plan.client.meta('md', plan.key, [`C${flagOf(seen, 'c')}`])
    return
  }
  const left = Number(flagOf(seen, 't'))
  await store(plan, seen, { data: value, flags: Number(flagOf(seen, 'f')) }, left === -1 ? 0 : Math.max(1, left))
}

function store<T>({ client, key }: FetchPlan<T>, seen: MetaReply, encoded: Encoded, exptime: number) {
  const flags = [`C${flagOf(seen, 'c')}`, `F${encoded.flags}`, `T${exptime}`]
  return client.meta('ms', key, flags, encoded.data)
}

/** Without meta commands nobody is chosen: once a process is what can be had. */
async function fetchPlainly<T>({ client, key, ttl, compute }: FetchPlan<T>): Promise<T> {
  const found = await client.get(key)
  if (found !== undefined) return found
  const value = await compute()
  await client.add(key, value, ttl === undefined ? {} : { ttl }).catch(ignoreCacheErrors)
  return value
}

/** The value is computed; that the cache did not take it is no reason to withhold it. */
function ignoreCacheErrors(error: unknown): void {
  if (!(error instanceof CacheError)) throw error
}

function flagOf(reply: MetaReply, letter: string): string {
  return reply.flags.find((flag) => flag[0] === letter)?.slice(1) ?? ''
}
