/** The signal that `using` hands to its routine. */

/** Aborted when the lock is lost; `error` tells why. `reason` is an AbortError, as it is with redlock. */
export type RedlockAbortSignal = AbortSignal & { error?: Error }

/** `lost` aborts when the lock is lost, and `isLost` asks the clock. */
export function routineSignal(lost: AbortSignal, isLost: () => boolean, explain: () => Error): RedlockAbortSignal {
  const controller = new AbortController()
  const signal: RedlockAbortSignal = controller.signal
  const abort = () => {
    signal.error = explain()
    controller.abort(new DOMException('the lock was lost', { name: 'AbortError', cause: signal.error }))
  }
  if (lost.aborted) abort()
  else lost.addEventListener('abort', abort, { once: true })
  // A thread that was blocked past its lease looks here before a timer has told of that. Asking makes `lost` abort.
  return Object.defineProperty(signal, 'aborted', { get: isLost })
}
