/** Read, change, write back only if nobody else has: the CAS loop. */
import { performance } from 'node:perf_hooks'
import { Backoff } from '../time/index.js'
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
  const { key, options, until } = plan
  const backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS)
  for (let attempts = 1; ; attempts++) {
    const attempt = new Attempt(plan)
    const done = await attempt.make().catch((cause) => {
      // Others had been faster, and for this attempt the time did not suffice.
      const isLate = attempts > 1 && cause instanceof DeadlineExceededError && !attempt.mayBeStored(cause)
      throw isLate ? new UpdateConflictError(String(key), attempts - 1, { cause }) : cause
    })
    if (done) return attempt.value
    // Others won. Not all of them should come back at the same moment.
    const pauseMs = backoff.next()
    if (performance.now() + pauseMs >= until) throw new UpdateConflictError(String(key), attempts)
    await pause(pauseMs, options.signal)
  }
}

class Attempt<T> {
  readonly #plan: UpdatePlan<T>
  #writes = false
  value: T | undefined

  constructor(plan: UpdatePlan<T>) {
    this.#plan = plan
  }

  /** False when somebody else was faster. */
  async make(): Promise<boolean> {
    const { client, key, look, options, until } = this.#plan
    const current = await look(callOf(options, until))
    this.value = current?.value
    const next = await changed(this.#plan, current?.value)
    if (next === undefined) return true
    this.value = next
    this.#writes = true
    const write = leftOf(options, until)
    if (current === undefined) return client.add(key, next, write)
    return (await client.cas(key, next, current.cas, write)) === 'stored'
  }

  mayBeStored({ sent }: DeadlineExceededError): boolean {
    return this.#writes && sent
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
