/** What every part of the locks works with. */
import type { Agenda } from './agenda.js'
import type { Chores } from './chores.js'
import type { Call, LockDriver } from './driver.js'
import type { Environment } from './environment.js'
import { LockUnavailableError, OutcomeUnknownError } from './errors.js'

export interface Site {
  readonly driver: LockDriver
  readonly environment: Environment
  readonly prefix: string
  /** For a round trip. */
  readonly deadlineMs: number
  readonly chores: Chores
  readonly agenda: Agenda
}

/** The part of a site that requests are made by. */
export interface Caller {
  readonly environment: Pick<Environment, 'clock' | 'timer' | 'random'>
  readonly deadlineMs: number
}

/** How a request is made that the caller's signal must not end, unless one is given. */
export function callOf(
  { environment, deadlineMs }: Caller,
  signal?: AbortSignal,
  mostMs = deadlineMs,
  onQueued?: () => void,
): Call {
  return { clock: environment.clock, deadlineMs: Math.min(deadlineMs, mostMs), signal, onQueued }
}

/** The server did not answer, or not with yes or no: it may the next time. */
export function mayPass(error: unknown): boolean {
  return error instanceof LockUnavailableError || error instanceof OutcomeUnknownError
}
