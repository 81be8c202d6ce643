/** Getting hold of a lock again that was written down as text. */
import { believe, type Held } from './belief.js'
import { confirm } from './confirm.js'
import { LockAmbiguousError, LockLostError, LockUnavailableError } from './errors.js'
import type { Site } from './site.js'
import type { Ticket } from './ticket.js'

/**
 * Found by its owner, since its version may have moved on, and believed from a new extension only: what another process
 * believed until when is of no use here. Throws LockLostError when it is not there, LockUnavailableError when nobody tells.
 */
export async function regain(site: Site, ticket: Ticket, ttlMs: number, signal: AbortSignal): Promise<Held> {
  const until = site.environment.clock.now() + site.deadlineMs
  try {
    const lease = await confirm(site, { ...ticket, ttlMs, waitMs: 0 }, until, signal, undefined)
    if (lease === undefined) throw new LockLostError(ticket.name, 'it is free, or another has it')
    signal.throwIfAborted()
    return believe(lease, ttlMs)
  } catch (error) {
    if (!(error instanceof LockAmbiguousError)) throw error
    throw new LockUnavailableError(ticket.name, 'the server did not tell who has it', { cause: error.cause })
  }
}
