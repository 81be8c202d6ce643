/** Waiting for what others do, by asking again and again: it takes no connection and no place in a queue. */
import { Backoff, type Span } from '../../../time/index.js'
import { linked } from '../../linked.js'
import { pause } from '../../pause.js'
import { checkKeys, ENDLESS, signalOf, span } from '../../settings.js'
import { mayPass } from '../../site.js'
import type { Base } from '../base.js'

const LEAST_MS = 10
const MOST_MS = 250

export interface WaitOptions {
  /** How long to wait. Default: without end. */
  wait?: Span
  /** Ends the waiting. */
  signal?: AbortSignal
}

export const WAIT = { wait: true, signal: true } satisfies Record<keyof WaitOptions, true>

/** Throws LockArgumentError. */
export function waitMsOf(options: WaitOptions, known: object = WAIT): number {
  checkKeys(options, known)
  signalOf(options.signal)
  return options.wait === undefined ? ENDLESS : span(options.wait, 'wait', 0, ENDLESS)
}

/**
 * What `look` resolves with, once that is not undefined; undefined when the patience is over. A server that does not answer is asked
 * again, too. Rejects with what it said last if that is how it ends, with the reason of a signal, and with what no asking can mend.
 */
export async function patiently<T>(
  { site, closing }: Base,
  waitMs: number,
  given: AbortSignal | undefined,
  look: (signal: AbortSignal) => Promise<T | undefined>,
): Promise<T | undefined> {
  const { environment } = site
  const until = environment.clock.now() + waitMs
  const backoff = new Backoff(LEAST_MS, MOST_MS, environment.random)
  const { signal, unlink } = linked(closing, given)
  try {
    for (;;) {
      signal.throwIfAborted()
      let failure: unknown
      const result = await look(signal).catch((error) => {
        if (signal.aborted || !mayPass(error)) throw error
        failure = error
      })
      if (result !== undefined) return result
      const leftMs = until - environment.clock.now()
      if (leftMs <= 0 && failure !== undefined) throw failure
      if (leftMs <= 0) return undefined
      await pause(environment, Math.min(backoff.next(), leftMs), signal, true)
    }
  } finally {
    unlink()
  }
}
