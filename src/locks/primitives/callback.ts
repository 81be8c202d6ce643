/** Calling what users have given. */
import { inspect } from 'node:util'
import { LockArgumentError } from '../errors.js'

/** Calls it now; what it throws is a rejection, too. */
export async function call(callback: () => unknown): Promise<void> {
  await callback()
}

/** Tells of an error. One who cannot even be told of errors is warned of by the process: nothing is lost without a word. */
export function tell(onError: (error: unknown) => unknown, error: unknown): void {
  call(() => onError(error)).catch(warn)
}

export function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : textOf(error))
}

/** What was thrown, in short. Anything can be, also what cannot be made a text. */
export function textOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message || error.name : error)
  } catch {
    return 'something that has no text'
  }
}

/** Throws LockArgumentError for what cannot be called. */
export function called<F>(given: F, name: string): F {
  if (typeof given === 'function') return given
  throw new LockArgumentError(`${name} is a function, not ${inspect(given)}`)
}

export function optional<F>(given: F | undefined, name: string): F | undefined {
  return given === undefined ? undefined : called(given, name)
}
