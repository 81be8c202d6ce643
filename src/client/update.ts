/** Read, change, write back only if nobody else has: the CAS loop. */
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from './client.js'
import { leftOf } from './dispatch.js'
import { UpdateConflictError } from './errors.js'
import { deadlineOf } from './settings.js'
import type { Key, UpdateOptions } from './types.js'

const FIRST_PAUSE_MS = 1
const LONGEST_PAUSE_MS = 50

/** What a change makes of the value; undefined leaves things as they are. */
export type Change<T> = (current: T | undefined) => T | undefined | Promise<T | undefined>

export async function update<T>(
  client: Client<T>,
  key: Key,
  change: Change<T>,
  options: UpdateOptions & { deadlineMs: number },
): Promise<T | undefined> {
  const until = performance.now() + deadlineOf(options.deadlineMs)
  let pauseMs = FIRST_PAUSE_MS
  for (let attempts = 1; ; attempts++) {
    const current = await client.gets(key, leftOf(options, until))
    const next = await change(current?.value)
    if (next === undefined) return current?.value
    const write = leftOf(options, until)
    const stored =
      current === undefined
        ? await client.add(key, next, write)
        : (await client.cas(key, next, current.cas, write)) === 'stored'
    if (stored) return next
    // Others won. Not all of them should come back at the same moment.
    pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS + Math.random() * 3 * pauseMs)
    if (performance.now() + pauseMs >= until) throw new UpdateConflictError(String(key), attempts)
    await pause(pauseMs, options.signal)
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return sleep(ms)
  // An abort is told by the signal's own reason.
  await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted())
}
