/** Runs a command while a lock is held: environment, signals, and word to the guard of how long the lease still is. */
import { deadlineAfter } from './deadline.js'
import type { Guard } from './handle.js'
import type { Ending, Terms } from './messages.js'
import type { Signals } from './signals.js'

/** What is needed of a lock that is held. */
export interface Held {
  readonly name: string
  readonly owner: string
  readonly fence: bigint | undefined
  /** Aborts when the lock is lost. */
  readonly signal: AbortSignal
  remainingMs(): number
}

export interface Job {
  readonly command: readonly string[]
  readonly terms: Terms
  /** How often the guard is told. */
  readonly tellEveryMs: number
  /** The guard has begun to stop the command. */
  readonly onStopping: () => void
}

export async function runHeld(guard: Guard, held: Held, signals: Signals, job: Job): Promise<Ending> {
  const lease = () => deadlineAfter(() => held.remainingMs())
  const telling = setInterval(() => guard.order({ order: 'lease', lease: lease() }), job.tellEveryMs)
  const onLost = () => {
    // What is left is nothing now. Told so, the guard would leave the command no time between SIGTERM and SIGKILL.
    clearInterval(telling)
    guard.order({ order: 'lost' })
  }
  try {
    const { command, terms } = job
    const ended = guard.run({ order: 'run', command, env: environment(held), terms, lease: lease() }, job.onStopping)
    signals.forwardTo((signal) => guard.order({ order: 'signal', signal }))
    held.signal.addEventListener('abort', onLost, { once: true })
    if (held.signal.aborted) onLost()
    return await ended
  } finally {
    clearInterval(telling)
    held.signal.removeEventListener('abort', onLost)
  }
}

function environment({ name, owner, fence }: Held): Record<string, string> {
  // Empty rather than missing: a lock around this one may have left its own.
  return { LATCHKEY_NAME: name, LATCHKEY_OWNER: owner, LATCHKEY_FENCE: fence?.toString() ?? '' }
}
