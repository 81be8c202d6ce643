/** One try to extend a lease, and what is known after it. */
import type { Lease } from './driver.js'
import { OutcomeUnknownError } from './errors.js'
import { callOf, type Site } from './site.js'

export type Extension =
  | { readonly status: 'extended'; readonly lease: Lease }
  /** Gone, or another's: nothing brings it back. */
  | { readonly status: 'gone' }
  /** Not this time. */
  | { readonly status: 'failed'; readonly lease: Lease; readonly inDoubt: boolean; readonly error: unknown }

/**
 * `inDoubt`: an earlier extension may have been carried out, or may yet be, and the version with it. Then the version is read
 * back by the owner token before and, if it does not fit, once more the next time. Only an answered extension ends the doubt:
 * it makes the delayed one's version wrong.
 */
export async function extendOnce(
  site: Site,
  lease: Lease,
  ttlMs: number,
  inDoubt: boolean,
  mostMs: number,
): Promise<Extension> {
  const { driver } = site
  let current = lease
  try {
    if (inDoubt) {
      const found = await driver.find(lease.key, callOf(site, undefined, mostMs))
      if (found?.holder.owner !== lease.holder.owner) return { status: 'gone' }
      current = { ...lease, version: found.version }
    }
    const extended = await driver.extend(current, ttlMs, callOf(site, undefined, mostMs))
    if (extended !== undefined) return { status: 'extended', lease: extended }
    return inDoubt ? { status: 'failed', lease: current, inDoubt, error: undefined } : { status: 'gone' }
  } catch (error) {
    const unknown = error instanceof OutcomeUnknownError
    return { status: 'failed', lease: current, inDoubt: inDoubt || unknown, error }
  }
}
