/** What all that can be acquired have beside `acquire`. */
import { LockArgumentError, LockBusyError, LockWaitTimeoutError } from './errors.js'
import type { AcquireOptions } from './types.js'

interface Acquired extends AsyncDisposable {
  readonly signal: AbortSignal
}

/** What is done with what was acquired. `signal` aborts when it is lost. */
export type BodyWith<L, T> = (lock: L, signal: AbortSignal) => Promise<T> | T

/** undefined where others have it. */
export async function unlessBusy<L>(acquiring: Promise<L>): Promise<L | undefined> {
  try {
    return await acquiring
  } catch (error) {
    if (error instanceof LockBusyError || error instanceof LockWaitTimeoutError) return undefined
    throw error
  }
}

/** `rest`: options, which may be left out, and what is to be done. */
export async function usingIt<L extends Acquired, T>(
  name: string,
  rest: unknown[],
  acquire: (options: AcquireOptions) => Promise<L>,
): Promise<T> {
  const body = rest.pop() as BodyWith<L, T>
  if (typeof body !== 'function') throw new LockArgumentError('using takes a function as its last argument', name)
  await using lock = await acquire((rest[0] ?? {}) as AcquireOptions)
  return await body(lock, lock.signal)
}
