/** One signal for two. */
import { setMaxListeners } from 'node:events'

/** Aborts with either of them, until `unlink` is called: signals that live long gather no listeners. */
export function linked(own: AbortSignal, given: AbortSignal | undefined): { signal: AbortSignal; unlink: () => void } {
  if (given === undefined) return { signal: own, unlink: nothing }
  const controller = new AbortController()
  const signals = [own, given]
  const abort = () => controller.abort(signals.find(({ aborted }) => aborted)!.reason)
  for (const signal of signals) {
    manyMayWait(signal)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  }
  const unlink = () => {
    for (const signal of signals) signal.removeEventListener('abort', abort)
  }
  return { signal: controller.signal, unlink }
}

function nothing(): void {}

/** One signal may end the waiting of many, which is no leak and must not be warned of as one. */
export function manyMayWait(signal: AbortSignal): void {
  setMaxListeners(0, signal)
}
