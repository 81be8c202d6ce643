/** The options of `once` and `every`, checked. */
import type { Span } from '../../../time/index.js'
import { checkKeys, span, type Wanted, wantedOf } from '../../settings.js'
import type { AcquireOptions } from '../../types.js'
import { called, warn } from '../callback.js'
import { wholeNumber } from '../count.js'
import type { OnceResult } from './once.js'
import { Slots } from './slots.js'

/** The lock's own options: `ttl` is its lease, which is renewed while the job runs, up to `maxHold`. */
type LockChoices = Pick<
  AcquireOptions,
  'ttl' | 'wait' | 'maxHold' | 'renew' | 'maxStall' | 'guarantee' | 'label' | 'signal'
>

export interface OnceOptions extends LockChoices {
  /** The period: 100 ms to 4 weeks. Periods begin at its multiples since 1970, UTC. */
  every: Span
  /** So much later than that: `'3h'` with `every: '1d'` for periods from 3:00 UTC to 3:00 UTC. Default 0. */
  offset?: Span
  /**
   * How often it may be begun again in the same period, after it has failed or whoever ran it has died. Default 0: it is begun at most
   * once a period.
   */
  retry?: number
}

export interface EveryOptions extends OnceOptions {
  /** Each period's turn is taken a random time up to so much after its beginning. Default 0. */
  jitter?: Span
  /** Whether the period is taken that runs already when this is called. Default false: the next one is the first. */
  catchUp?: boolean
  /** Whether the process may end although this is going on. Default false. */
  unref?: boolean
  /** Told what became of each turn: whether it ran here, or by whom else. */
  onResult?: (result: OnceResult<unknown>) => void
  /** Told what the job threw, and why a turn could not be taken. Default: a warning of the process. */
  onError?: (error: unknown) => void
}

/** How one job is to be run. */
export interface Rhythm {
  readonly slots: Slots
  readonly retries: number
  readonly wanted: Wanted
  /** For `acquire`. */
  readonly lock: LockChoices
}

const SHORTEST_EVERY_MS = 100
const LONGEST_EVERY_MS = 28 * 86_400_000
const LONGEST_OFFSET_MS = LONGEST_EVERY_MS
const MOST_RETRIES = 1_000_000

/** Throws LockArgumentError. */
export function rhythmOf(options: OnceOptions, defaults: Wanted): Rhythm {
  checkKeys(options, ONCE)
  const { every, offset = 0, retry = 0, ...lock } = options
  const everyMs = span(every, 'every', SHORTEST_EVERY_MS, LONGEST_EVERY_MS)
  const offsetMs = span(offset, 'offset', 0, LONGEST_OFFSET_MS)
  const retries = wholeNumber(retry, 'retry', 0, MOST_RETRIES)
  return { slots: new Slots(everyMs, offsetMs), retries, wanted: wantedOf(lock, defaults), lock }
}

const ONCE = {
  every: true,
  offset: true,
  retry: true,
  ttl: true,
  wait: true,
  maxHold: true,
  renew: true,
  maxStall: true,
  guarantee: true,
  label: true,
  signal: true,
} satisfies Record<keyof OnceOptions, true>

/** What `every` has beside the options of `once`. */
export interface Timing {
  readonly jitterMs: number
  readonly catchUp: boolean
  readonly keepAlive: boolean
  readonly onResult: (result: OnceResult<unknown>) => void
  readonly onError: (error: unknown) => void
}

export function timingOf(options: EveryOptions): { once: OnceOptions; timing: Timing } {
  checkKeys(options, { ...ONCE, jitter: true, catchUp: true, unref: true, onResult: true, onError: true })
  const { jitter = 0, catchUp = false, unref = false, onResult = () => {}, onError = warn, ...once } = options
  called(onResult, 'onResult')
  called(onError, 'onError')
  const everyMs = span(once.every, 'every', SHORTEST_EVERY_MS, LONGEST_EVERY_MS)
  const jitterMs = span(jitter, 'jitter', 0, everyMs / 2)
  return { once, timing: { jitterMs, catchUp, keepAlive: !unref, onResult, onError } }
}
