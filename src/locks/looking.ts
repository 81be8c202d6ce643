/** Looking at locks without holding them. */

import { Backoff } from '../time/index.js'
import type { Found } from './driver.js'
import { LockUnavailableError, OutcomeUnknownError } from './errors.js'
import { named } from './naming.js'
import { pause } from './pause.js'
import { callOf, mayPass, type Site } from './site.js'

/** Which lock is meant: only if this very holder has it. */
export interface ReleaseCondition {
  readonly ifFence?: bigint | undefined
  readonly ifOwner?: string | undefined
}

const RETRY_LEAST_MS = 10
const RETRY_MOST_MS = 100

export async function look(site: Site, name: string, signal?: AbortSignal): Promise<Found | undefined> {
  try {
    return await site.driver.find(site.prefix + name, callOf(site, signal))
  } catch (error) {
    throw known(name, error)
  }
}

export async function* lookAtAll(site: Site, namePrefix: string): AsyncGenerator<Found, void, undefined> {
  try {
    yield* site.driver.list(site.prefix + namePrefix, callOf(site))
  } catch (error) {
    throw known(namePrefix, error)
  }
}

/** For one that reads, not knowing the outcome is having none. */
function known(name: string, error: unknown): unknown {
  if (!(error instanceof OutcomeUnknownError)) return named(name, error)
  return new LockUnavailableError(name, 'the server did not answer', { cause: error })
}

/**
 * Takes the lock from whoever has it when first looked at, and from no later one. True when that holder has it no more. Throws
 * LockUnavailableError when the server does not tell.
 */
export async function takeAway(site: Site, name: string, condition: ReleaseCondition): Promise<boolean> {
  const { clock, random } = site.environment
  const giveUpAt = clock.now() + 2 * site.deadlineMs
  const backoff = new Backoff(RETRY_LEAST_MS, RETRY_MOST_MS, random)
  let owner = condition.ifOwner
  let mayBeDone = false
  for (;;) {
    let cause: unknown
    try {
      const found = await look(site, name)
      if (found === undefined || !fits(found, owner, condition.ifFence)) return mayBeDone
      owner = found.holder.owner
      if (await site.driver.release(found.key, found.version, callOf(site))) return true
    } catch (error) {
      if (!mayPass(error)) throw error
      mayBeDone ||= error instanceof OutcomeUnknownError
      cause = error
    }
    const leftMs = giveUpAt - clock.now()
    if (leftMs <= 0 || site.chores.hurry.aborted)
      throw new LockUnavailableError(name, 'the server did not say that it was released', { cause })
    await pause(site.environment, Math.min(backoff.next(), leftMs), site.chores.hurry, true).catch(() => {})
  }
}

function fits(found: Found, owner: string | undefined, fence: bigint | undefined): boolean {
  return (owner === undefined || found.holder.owner === owner) && (fence === undefined || found.fence === fence)
}
