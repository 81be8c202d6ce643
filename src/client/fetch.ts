/**
 * Read-through that computes once across all processes. The server chooses one caller by the win flag of its meta
 * commands: `N` makes a placeholder of a missing item and tells its maker that it has won; `R` does so for an item whose
 * time is nearly over. Everybody else is told that another caller is at it, and takes the old value, or waits.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from './client.js'
import type { Codec, Encoded } from './codec.js'
import { CacheError, DeadlineExceededError, UnsupportedError } from './errors.js'
import { exptimeOf, remainingMs, type Ttl } from './ttl.js'
import type { Key, MetaReply } from './types.js'

const FIRST_PAUSE_MS = 2
const LONGEST_PAUSE_MS = 50

export interface FetchPlan<T> {
  readonly key: Key
  readonly ttl: Ttl | undefined
  /** Milliseconds past the ttl in which the old value may still be served. */
  readonly staleMs: number
  /** Seconds until a placeholder is given up. */
  readonly leaseSeconds: number
  readonly compute: () => T | Promise<T>
  readonly codec: Codec<T>
  /** Whether an error of the cache means to compute without it. */
  readonly doesWithout: (error: unknown) => boolean
}

export async function fetch<T>(client: Client<T>, plan: FetchPlan<T>): Promise<T> {
  const flags = ['v', 'f', 'c', `N${plan.leaseSeconds}`]
  if (plan.staleMs > 0) flags.push(`R${Math.ceil(plan.staleMs / 1000)}`)
  for (let pauseMs = FIRST_PAUSE_MS; ; ) {
    let reply: MetaReply
    try {
      reply = await client.meta('mg', plan.key, flags)
    } catch (error) {
      if (error instanceof UnsupportedError) return fetchPlainly(client, plan)
      if (plan.doesWithout(error)) return plan.compute()
      throw error
    }
    if (reply.flags.includes('W')) return computeAsChosen(client, plan, reply)
    if (reply.value !== undefined && !isPlaceholder(reply)) {
      return plan.codec.decode(reply.value, Number(flagValue(reply, 'f') ?? 0))
    }
    await sleep(pauseMs)
    pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS + Math.random() * 3 * pauseMs)
  }
}

/** A caller's own patience with a computation that others may be waiting for too. */
export async function within<T>(
  computing: Promise<T>,
  server: string,
  deadlineMs: number | undefined,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (deadlineMs === undefined && signal === undefined) return computing
  const done = new AbortController()
  const limits: Promise<never>[] = []
  if (deadlineMs !== undefined) {
    const late = () => Promise.reject(new DeadlineExceededError(server, deadlineMs, true))
    limits.push(sleep(deadlineMs, undefined, { signal: done.signal }).then(late))
  }
  if (signal !== undefined) limits.push(aborted(signal, done.signal))
  try {
    return await Promise.race([computing, ...limits])
  } finally {
    for (const limit of limits) limit.catch(() => {})
    done.abort()
  }
}

function aborted(signal: AbortSignal, done: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: done })
  })
}

/**
 * Empty, and somebody is at it. An empty value that is computed anew before its time looks the same; taking it for a
 * placeholder costs waiting, never a wrong value.
 */
function isPlaceholder(reply: MetaReply): boolean {
  return reply.value?.length === 0 && reply.flags.includes('Z') && !reply.flags.includes('X')
}

async function computeAsChosen<T>(client: Client<T>, plan: FetchPlan<T>, won: MetaReply): Promise<T> {
  const token = `C${flagValue(won, 'c')}`
  let value: T
  let encoded: Encoded
  try {
    value = await plan.compute()
    encoded = plan.codec.encode(value)
  } catch (error) {
    await giveBack(client, plan.key, won, token).catch(ignoreCacheErrors)
    throw error
  }
  // Only over what was there when it was begun: who has written or deleted since knows better.
  const flags = [token, `F${encoded.flags}`, `T${exptime(plan)}`]
  await client.meta('ms', plan.key, flags, encoded.data).catch(ignoreCacheErrors)
  return value
}

/** The item outlives its time by as long as it may be served stale. */
function exptime({ ttl, staleMs }: FetchPlan<unknown>): number {
  const now = Date.now()
  const lifeMs = remainingMs(ttl, now) + staleMs
  return lifeMs === Number.POSITIVE_INFINITY ? 0 : exptimeOf(new Date(now + lifeMs), now)
}

/** Lets the next caller try at once: the placeholder goes, an old value is marked as free to be computed. */
async function giveBack<T>(client: Client<T>, key: Key, won: MetaReply, token: string): Promise<void> {
  const hasValue = won.value !== undefined && won.value.length > 0
  await client.meta('md', key, hasValue ? ['I', token] : [token])
}

/** Without meta commands nobody is chosen: once a process is what can be had. */
async function fetchPlainly<T>(client: Client<T>, plan: FetchPlan<T>): Promise<T> {
  const found = await client.get(plan.key)
  if (found !== undefined) return found
  const value = await plan.compute()
  await client.add(plan.key, value, plan.ttl === undefined ? {} : { ttl: plan.ttl }).catch(ignoreCacheErrors)
  return value
}

/** The value is computed; that the cache did not take it is no reason to withhold it. */
function ignoreCacheErrors(error: unknown): void {
  if (!(error instanceof CacheError)) throw error
}

function flagValue(reply: MetaReply, flag: string): string | undefined {
  return reply.flags.find((one) => one[0] === flag)?.slice(1)
}
