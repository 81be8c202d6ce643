/** Not waiting for an answer longer than it is worth. */

/** Rejects with the signal's reason, or when it takes too long. The request goes on. */
export function within<T>(request: Promise<T>, deadlineMs: number, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const aborted = () => settle(() => reject(signal?.reason))
    const late = setTimeout(() => settle(() => reject(new Error(`no answer within ${deadlineMs} ms`))), deadlineMs)
    const settle = (end: () => void) => {
      clearTimeout(late)
      signal?.removeEventListener('abort', aborted)
      end()
    }
    signal?.addEventListener('abort', aborted, { once: true })
    request.then(
      (result) => settle(() => resolve(result)),
      (error) => settle(() => reject(error)),
    )
  })
}
