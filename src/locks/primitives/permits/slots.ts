/** Asking for slots: claims of single ones, and looks at many, which disturb nobody. */
import { Attempt, type Result } from '../../attempt.js'
import type { Held } from '../../belief.js'
import type { Found } from '../../driver.js'
import { LockAmbiguousError } from '../../errors.js'
import { LeaseKeeper } from '../../lease-keeper.js'
import { callOf, mayPass, type Site } from '../../site.js'
import type { PermitRequest } from './request.js'

/** So many questions are on their way at a time. */
export const LOOKS_AT_ONCE = 32

export type Claimed = Extract<Result, { status: 'held' | 'busy' }> | { readonly status: 'failed' }

export interface Sighting {
  readonly slot: number
  /** undefined: it was free. */
  readonly found: Found | undefined
}

/**
 * Whatever is not `held` has left nothing. A slot of which nobody can tell whether it was acquired is cleaned up behind our back, and
 * there are others. Throws the signal's reason and LockArgumentError.
 */
export async function claimSlot(request: PermitRequest, slot: number, waitMs = 0): Promise<Claimed> {
  const { site, places, wanted, signal } = request
  try {
    const result = await new Attempt(site, places.slots[slot], wanted, waitMs, signal, undefined).make()
    if (result.status === 'busy') request.noteBusy(result.found)
    if (result.status !== 'unavailable') return result
    request.noteError(result.error)
  } catch (error) {
    if (!(error instanceof LockAmbiguousError)) throw error
    request.noteError(error)
  }
  return { status: 'failed' }
}

/** Leaves out those whose server does not tell. Throws the signal's reason and LockArgumentError. */
export async function lookAtSlots(request: PermitRequest, slots: readonly number[]): Promise<Sighting[]> {
  const sightings: (Sighting | undefined)[] = []
  for (let i = 0; i < slots.length; i += LOOKS_AT_ONCE) {
    const some = slots.slice(i, i + LOOKS_AT_ONCE).map((slot) => lookAtSlot(request, slot))
    sightings.push(...(await Promise.all(some)))
  }
  return sightings.filter((sighting) => sighting !== undefined)
}

async function lookAtSlot(request: PermitRequest, slot: number): Promise<Sighting | undefined> {
  const { site, places, signal } = request
  try {
    const found = await site.driver.find(site.prefix + places.slots[slot], callOf(site, signal))
    if (found !== undefined) request.noteBusy(found)
    return { slot, found }
  } catch (error) {
    if (!mayPass(error)) throw error
    request.noteError(error)
    return undefined
  }
}

/** What is held on the way is renewed for as long as that takes, whatever is to become of it. */
export function keepMeanwhile(site: Site, held: Held): LeaseKeeper {
  return new LeaseKeeper(site, held, { renew: true, maxHoldMs: Number.POSITIVE_INFINITY, onEnd: () => {} })
}

/** Settles when all have, so that nothing comes after a failure; then throws the first one. */
export async function allOf<T>(tasks: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(tasks)
  return Promise.all(tasks)
}

/** A random order, in place (Fisher and Yates). */
export function shuffle<T>(items: T[], random: () => number): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[items[i], items[j]] = [items[j], items[i]]
  }
  return items
}
