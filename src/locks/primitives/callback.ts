/** Calling what users have given. */

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
