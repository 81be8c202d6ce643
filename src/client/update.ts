/** Read, change, write back only if nobody else has: the CAS loop. */
import { performance } from 'node:perf_hooks'
import { Backoff } from './backoff.js'
import type { Client } from './client.js'
import { leftOf } from './dispatch.js'
import { DeadlineExceededError, UpdateConflictError } from './errors.js'
import { pause, within } from './patience.js'
import type { CallOptions, Key, UpdateOptions, Versioned } from './types.js'

const FIRST_PAUSE_MS = 1
const LONGEST_PAUSE_MS = 50

/** What a change makes of the value; undefined leaves things as they are. */
export type Change<T> = (current: T | undefined) => T | undefined | Promise<T | undefined>

export interface UpdatePlan<T> {
  readonly client: Client<T>
  readonly key: Key
  readonly change: Change<T>
  /** As `gets`, but an item without a value is one, with its token. */
  readonly look: (options: CallOptions) => Promise<Versioned<T | undefined> | undefined>
  readonly options: UpdateOptions
  /** On the clock of `performance.now()`. */
  readonly until: number
}

export async function update<T>(plan: UpdatePlan<T>): Promise<T | undefined> {
  const { client, key, look, options, until } = plan
  const backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS)
  for (let attempts = 1; ; attempts++) {
    const current = await look(callOf(options, until))
    const next = await changed(plan, current?.value)
    if (next === undefined) return current?.value
    const write = leftOf(options, until)
    const stored =
      current === undefined
        ? await client.add(key, next, write)
        : (await client.cas(key, next, current.cas, write)) === 'stored'
    if (stored) return next
    // Others won. Not all of them should come back at the same moment.
    const pauseMs = backoff.next()
    if (performance.now() + pauseMs >= until) throw new UpdateConflictError(String(key), attempts)
    await pause(pauseMs, options.signal)
  }
}

/** What the user's function makes of the value, in the time that is left. */
function changed<T>({ client, key, change, options, until }: UpdatePlan<T>, value: T | undefined) {
  const started = performance.now()
  const late = () => new DeadlineExceededError(client.serverOf(key), until - started, false)
  const ms = Math.max(0, until - started)
  return within(new Promise<T | undefined>((resolve) => resolve(change(value))), { ms, signal: options.signal, late })
}

function callOf({ signal }: CallOptions, until: number): CallOptions {
  return leftOf(signal === undefined ? {} : { signal }, until)
}
