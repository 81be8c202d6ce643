/** The settings of redlock 5, checked, with its defaults in their places. Times are whole or broken milliseconds. */
import { inspect } from 'node:util'
import { LockArgumentError } from '../../locks/index.js'

export interface Settings {
  /** This part of the duration is kept off `expiration`, besides what our leases keep off themselves. Default 0.01. */
  readonly driftFactor: number
  /** So many further attempts after the first that failed; −1: until it succeeds. Default 10. */
  readonly retryCount: number
  /**
   * From one attempt to the next. Where the server has a queue it is waited in for so long, so that a lock that becomes free is
   * had at once. Default 200.
   */
  readonly retryDelay: number
  /** `retryDelay` is longer or shorter by up to so much, at random. Default 100. */
  readonly retryJitter: number
  /**
   * `using` wants a duration that is 100 ms longer than this. It is not what the lease is renewed by: that is done at a third of the
   * duration, so that two thirds are left for trying again. Default 500.
   */
  readonly automaticExtensionThreshold: number
}

const DEFAULTS: Settings = {
  driftFactor: 0.01,
  retryCount: 10,
  retryDelay: 200,
  retryJitter: 100,
  automaticExtensionThreshold: 500,
}
const THRESHOLD_DISTANCE_MS = 100

/** What is not given, or undefined, is as in `defaults`. Throws LockArgumentError for what is no setting. */
export function settingsOf(given: Partial<Settings> = {}, defaults = DEFAULTS): Settings {
  if (typeof given !== 'object' || given === null) {
    throw new LockArgumentError(`settings are an object, not ${inspect(given)}`)
  }
  const settings: Record<string, number> = { ...defaults }
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULTS, name)) throw new LockArgumentError(`there is no setting ${name} here`)
    if (value !== undefined) settings[name] = checked(name, value)
  }
  return settings as unknown as Settings
}

/** Throws LockArgumentError, as it is also with redlock, for what is no whole number of milliseconds. */
export function checkDuration(duration: unknown): void {
  if (Number.isSafeInteger(duration)) return
  throw new LockArgumentError(`a duration is a whole number of milliseconds, not ${inspect(duration)}`)
}

export function checkThreshold(durationMs: number, { automaticExtensionThreshold: thresholdMs }: Settings): void {
  if (durationMs >= thresholdMs + THRESHOLD_DISTANCE_MS) return
  throw new LockArgumentError(
    `a duration is ${THRESHOLD_DISTANCE_MS} ms longer than automaticExtensionThreshold (${thresholdMs}), not ${durationMs}`,
  )
}

/** Never 0: who asks without any pause would let nothing else run. */
export function retryDelayMs({ retryDelay, retryJitter }: Settings): number {
  return Math.max(1, retryDelay + (Math.random() * 2 - 1) * retryJitter)
}

export function driftMs(durationMs: number, { driftFactor }: Settings): number {
  return Math.round(driftFactor * durationMs)
}

function checked(name: string, value: unknown): number {
  const isCount = name === 'retryCount'
  if (typeof value === 'number' && (isCount ? isRetryCount(value) : Number.isFinite(value) && value >= 0)) return value
  throw new LockArgumentError(
    `${name} is ${isCount ? 'a whole number or −1' : 'a number, 0 or more'}, not ${inspect(value)}`,
  )
}

function isRetryCount(value: number): boolean {
  return value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value >= -1)
}
