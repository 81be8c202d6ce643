/** Waiting for what is no exchange, a callback of the user's or a pause, under the same deadline and signal. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Patience {
  /** Milliseconds; none: for ever. */
  readonly ms?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** What to reject with when the time is over. */
  readonly late: () => Error
}

/** As the promise, unless the time is over or the signal aborts first; then the promise is left to itself. */
export async function within<T>(promise: Promise<T>, { ms, signal, late }: Patience): Promise<T> {
  if (ms === undefined && signal === undefined) return promise
  const done = new AbortController()
  const limits: Promise<never>[] = []
  if (ms !== undefined) limits.push(sleep(ms, undefined, { signal: done.signal }).then(() => Promise.reject(late())))
  if (signal !== undefined) limits.push(aborted(signal, done.signal))
  try {
    return await Promise.race([promise, ...limits])
  } finally {
    for (const limit of limits) limit.catch(() => {})
    promise.catch(() => {})
    done.abort()
  }
}

/** An abort is told by the signal's own reason. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal === undefined) return sleep(ms)
  await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted())
}

function aborted(signal: AbortSignal, done: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: done })
  })
}
