/** Taking away what an acquisition may have left on the server, found by its owner token and deleted by compare-and-delete. */
import { Backoff } from '../time/index.js'
import type { Version } from './driver.js'
import { pause } from './pause.js'
import { type Caller, callOf, type Site } from './site.js'

const LEAST_MS = 25
/** A server that does not answer is asked again after at most so long. */
const UNANSWERED_MS = 1000

/** Where it is left. */
export type Place = Pick<Site, 'driver' | 'chores'> & Caller

export interface Leftover {
  readonly key: string
  readonly owner: string
  /** Tried first, if it is known. */
  readonly version?: Version
  /** When it ends by itself, by our clock. */
  readonly until: number
}

/**
 * In the background, until it is gone for certain or its lease is over. An answer that there is nothing is not yet the end: a
 * request that was delayed may still arrive.
 */
export function sweep(site: Place, leftover: Leftover): void {
  site.chores.add(untilFreed(site, leftover))
}

async function untilFreed(site: Place, leftover: Leftover): Promise<void> {
  const { environment, chores } = site
  const leftMs = Math.max(LEAST_MS, leftover.until - environment.clock.now())
  const absent = new Backoff(LEAST_MS, leftMs, environment.random)
  const unanswered = new Backoff(LEAST_MS, UNANSWERED_MS, environment.random)
  let { version } = leftover
  for (;;) {
    const freed = await freedBy(site, leftover, version).catch(() => undefined)
    if (freed || chores.hurry.aborted || environment.clock.now() >= leftover.until) return
    version = undefined
    const pauseMs = (freed === undefined ? unanswered : absent).next()
    await pause(environment, pauseMs, chores.hurry, false).catch(() => {})
  }
}

/** True when it was there and is not any more. */
async function freedBy(site: Place, { key, owner }: Leftover, version: Version | undefined): Promise<boolean> {
  if (version !== undefined) return site.driver.release(key, version, callOf(site))
  const found = await site.driver.find(key, callOf(site))
  return found?.holder.owner === owner && site.driver.release(key, found.version, callOf(site))
}
