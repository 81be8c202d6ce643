/** Doing nothing for a while. */
import type { Environment } from './environment.js'

/** Resolves after `ms`; rejects with the signal's reason once that aborts. Keeps the process alive only if asked to. */
export function pause(
  environment: Pick<Environment, 'timer'>,
  ms: number,
  signal: AbortSignal,
  keepAlive: boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const aborted = () => {
      cancel()
      reject(signal.reason)
    }
    const over = () => {
      signal.removeEventListener('abort', aborted)
      resolve()
    }
    const cancel = environment.timer(ms, over, keepAlive)
    signal.addEventListener('abort', aborted, { once: true })
  })
}
