/** Waiting to be elected, without end and whatever becomes of the server meanwhile. */
import { Backoff } from '../../../time/index.js'
import type { Clock } from '../../driver.js'
import { LockArgumentError } from '../../errors.js'
import { linked } from '../../linked.js'
import type { Lock } from '../../lock.js'
import { pause } from '../../pause.js'
import type { Setback, Wanted } from '../../settings.js'
import type { Base } from '../base.js'
import { Leadership } from './leadership.js'

/** What elections need of the locks that they are made of. */
export interface Polls extends Omit<Base, 'acquire'> {
  acquire(name: string, wanted: Wanted): Promise<Lock>
}

const RETRY_LEAST_MS = 100
const RETRY_MOST_MS = 5000
/** A server that is away is asked more often than anybody wants to read of. */
const TELL_EACH_MS = 1000

/**
 * Rejects with the reason of `wanted.signal`, with LockUnavailableError once the locks are closed, and with LockArgumentError for what
 * this server can never do; of everything else `onError` is told, and it goes on.
 */
export async function campaign(
  { site: { environment, chores }, closing, acquire }: Polls,
  name: string,
  wanted: Wanted,
  onError: (error: unknown) => void,
): Promise<Leadership> {
  const retries = new Backoff(RETRY_LEAST_MS, RETRY_MOST_MS, environment.random)
  const { signal, unlink } = linked(closing, wanted.signal)
  const enduring = { ...wanted, onSetback: seldom(environment.clock, onError) }
  // One that `close` ends has things to take away first.
  chores.begin()
  try {
    signal.throwIfAborted()
    for (;;) {
      try {
        return new Leadership(await acquire(name, enduring))
      } catch (error) {
        if (signal.aborted || error instanceof LockArgumentError) throw error
        onError(error)
      }
      await pause(environment, retries.next(), signal, true)
    }
  } finally {
    unlink()
    chores.end()
  }
}

function seldom(clock: Clock, onError: (error: unknown) => void): Setback {
  let toldAt = Number.NEGATIVE_INFINITY
  return (error) => {
    const now = clock.now()
    if (now - toldAt < TELL_EACH_MS) return
    toldAt = now
    onError(error)
  }
}
