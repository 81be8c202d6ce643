/** A claim whose reply was lost: asking the server whether it was carried out. */
import { Backoff } from '../time/index.js'
import type { Claim, Found, Lease } from './driver.js'
import { LockAmbiguousError } from './errors.js'
import { named } from './naming.js'
import { pause } from './pause.js'
import type { Setback } from './settings.js'
import { callOf, mayPass, type Site } from './site.js'

const LEAST_MS = 10
const MOST_MS = 250

/**
 * The lease, if the server has it and has just extended it: only that tells from when it counts. undefined: it is not ours, as
 * far as the server knows now. Throws LockAmbiguousError when nobody could tell by `until`.
 */
export async function confirm(
  site: Site,
  claim: Claim,
  until: number,
  signal: AbortSignal,
  cause: unknown,
  onSetback?: Setback,
): Promise<Lease | undefined> {
  const { clock, random } = site.environment
  const backoff = new Backoff(LEAST_MS, MOST_MS, random)
  const call = () => callOf(site, signal, Math.max(1, until - clock.now()))
  let last = cause
  for (;;) {
    try {
      const found = await site.driver.find(claim.key, call())
      if (!isOurs(found, claim)) return undefined
      const lease = await site.driver.extend(leaseOf(found, claim), claim.ttlMs, call())
      // Not this version: an extension of ours before this one may have arrived late. Look again.
      if (lease !== undefined) return lease
    } catch (error) {
      if (!mayPass(error)) throw error
      last = named(claim.name, error)
    }
    const leftMs = until - clock.now()
    if (leftMs <= 0) throw ambiguous(claim, last)
    onSetback?.(ambiguous(claim, last))
    await pause(site.environment, Math.min(backoff.next(), leftMs), signal, true)
  }
}

/** One without the fence that it was to have is half made, and is no lock. */
function isOurs(found: Found | undefined, claim: Claim): found is Found {
  if (found?.holder.owner !== claim.holder.owner) return false
  return claim.guarantee !== 'fenced' || found.fence !== undefined
}

/** Not believed for a moment: it is over before it began. */
function leaseOf({ key, holder, fence, version }: Found, { name, guarantee }: Claim): Lease {
  return { key, name, holder, guarantee, fence, version, from: Number.NEGATIVE_INFINITY, granularityMs: 0 }
}

function ambiguous({ name }: Claim, cause: unknown): LockAmbiguousError {
  return new LockAmbiguousError(name, cause instanceof Error ? cause.message : String(cause), { cause })
}
