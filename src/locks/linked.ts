/** One signal for several. */

/** Aborts with the first of them, until `unlink` is called: signals that live long gather no listeners. */
export function linked(...signals: (AbortSignal | undefined)[]): { signal: AbortSignal; unlink: () => void } {
  const controller = new AbortController()
  const listening = new AbortController()
  for (const signal of signals) {
    if (signal?.aborted) controller.abort(signal.reason)
    const abort = () => controller.abort(signal!.reason)
    signal?.addEventListener('abort', abort, { once: true, signal: listening.signal })
  }
  return { signal: controller.signal, unlink: () => listening.abort() }
}
