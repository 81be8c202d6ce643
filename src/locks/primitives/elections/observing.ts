/** Who leads, as those see it who do not stand. */
import type { Found } from '../../driver.js'
import { lockInfo } from '../../info.js'
import { linked } from '../../linked.js'
import { look } from '../../looking.js'
import { pause } from '../../pause.js'
import { mayPass, type Site } from '../../site.js'
import type { LockInfo } from '../../types.js'

export interface Observation {
  readonly name: string
  readonly everyMs: number
  readonly signal: AbortSignal | undefined
  readonly closing: AbortSignal
}

/** Yields when it has changed, nobody as undefined. A server that does not answer is no change: it is asked again. */
export async function* observe(site: Site, observation: Observation): AsyncGenerator<LockInfo | undefined, void> {
  const { name, everyMs, closing } = observation
  const { signal, unlink } = linked(closing, observation.signal)
  const sight = new Sight()
  try {
    for (;;) {
      const found = await seen(site, name, signal)
      if (found !== 'unknown' && sight.changes(found)) yield found && lockInfo(found, site.prefix)
      await pause(site.environment, everyMs * (1 + site.environment.random()) * 0.5, signal, true)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    unlink()
  }
}

async function seen(site: Site, name: string, signal: AbortSignal): Promise<Found | undefined | 'unknown'> {
  signal.throwIfAborted()
  try {
    return await look(site, name, signal)
  } catch (error) {
    if (mayPass(error)) return 'unknown'
    throw error
  }
}

/** What was seen last. */
class Sight {
  /** undefined: nothing yet; '': nobody. */
  #owner: string | undefined
  #fence = -1n

  changes(found: Found | undefined): boolean {
    if (found === undefined) return this.#is('')
    const { fence, holder } = found
    // Of one who has not got its fence yet it is not known whether it is elected. What is older than what was seen comes from a server
    // that has not heard of it, or has been asked earlier.
    if (fence === undefined || fence < this.#fence) return false
    this.#fence = fence
    return this.#is(holder.owner)
  }

  #is(owner: string): boolean {
    const changes = owner !== this.#owner
    this.#owner = owner
    return changes
  }
}
