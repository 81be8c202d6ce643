/** One signal for several. */
import { setMaxListeners } from 'node:events'

/** Aborts with the first of them, until `unlink` is called: signals that live long gather no listeners. */
export function linked(...signals: (AbortSignal | undefined)[]): { signal: AbortSignal; unlink: () => void } {
  const controller = new AbortController()
  const listening = new AbortController()
  for (const signal of signals) {
    if (signal === undefined) continue
    if (signal.aborted) controller.abort(signal.reason)
    // One signal may end the waiting of many, which is no leak and must not be warned of as one.
    setMaxListeners(0, signal)
    signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true, signal: listening.signal })
  }
  return { signal: controller.signal, unlink: () => listening.abort() }
}
