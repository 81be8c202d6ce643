/** The options of elections, checked, with the defaults in their places. */
import type { Span } from '../../../time/index.js'
import type { LeadershipEndedError, LockLostError } from '../../errors.js'
import { checkKeys, ENDLESS, oneOf, signalOf, span, type Wanted, wantedOf } from '../../settings.js'
import { called, optional, warn } from '../callback.js'
import type { Leader } from './leadership.js'

export interface CampaignOptions {
  /** The lease: so long after the last renewal of a leader that has died, another is elected. Default: as that of these locks. */
  ttl?: Span
  /** The longest term. Default: no end. */
  maxHold?: Span
  /** `true`: renewed by a timer of this thread (default). `'thread'`: by a helper thread, also while this one's event loop is blocked. */
  renew?: true | 'thread'
  /** With `renew: 'thread'`: a leader whose event loop has been blocked for so long leads no more. Default: as `maxHold` of these locks. */
  maxStall?: Span
  /** What observers see of the leader, such as its address: text of at most 200 characters. Default: as that of these locks. */
  label?: string
  /** Ends the campaign. */
  signal?: AbortSignal
  /**
   * Told of setbacks, after which it goes on, once a second at most: LockUnavailableError, LockAmbiguousError. Default: a warning of the
   * process.
   */
  onError?: (error: unknown) => unknown
}

export interface ElectOptions extends CampaignOptions {
  /**
   * Called at the beginning of each term. Its end is not the term's: that goes on until it is lost, or `resign` or `stop` is called. If
   * it throws, or rejects, before the term is over, this one resigns, and stands again after a pause of a second to a minute.
   */
  onElected: (leader: Leader) => unknown
  /** Called once for each term, when it is over: what was begun as the leader is to stop. */
  onLost?: (reason: LockLostError | LeadershipEndedError, leader: Leader) => unknown
  /** Also told of what `onElected` and `onLost` throw, and of what ends the standing for good. */
  onError?: (error: unknown) => unknown
  /** Ends the standing, as `stop` does. */
  signal?: AbortSignal
  /**
   * How long `onElected` and `onLost` may take to come to their end once the term is over. The lock is given back then, or when they have
   * both settled, and not before that is this one elected again. Default: as `ttl`.
   */
  grace?: Span
}

/** How one stands. */
export interface Platform {
  readonly wanted: Wanted
  readonly graceMs: number
  readonly onElected: (leader: Leader) => unknown
  readonly onLost: ((reason: LockLostError | LeadershipEndedError, leader: Leader) => unknown) | undefined
  readonly onError: (error: unknown) => unknown
}

const CAMPAIGN = {
  ttl: true,
  maxHold: true,
  renew: true,
  maxStall: true,
  label: true,
  signal: true,
  onError: true,
} satisfies Record<keyof CampaignOptions, true>
const ELECT = { ...CAMPAIGN, onElected: true, onLost: true, grace: true } satisfies Record<keyof ElectOptions, true>
const SHORTEST_LOOK_MS = 10

/** A leader has a fence, always, and waits for its turn without end. */
export function campaignOf(options: CampaignOptions, defaults: Wanted): Wanted {
  checkKeys(options, CAMPAIGN)
  optional(options.onError, 'onError')
  return wantedFor(options, defaults)
}

export function platformOf(options: ElectOptions, defaults: Wanted): Platform {
  checkKeys(options, ELECT)
  const { onElected, onLost, onError = warn, grace } = options
  const wanted = wantedFor(options, defaults)
  return {
    wanted,
    graceMs: grace === undefined ? wanted.ttlMs : span(grace, 'grace', 0, ENDLESS),
    onElected: called(onElected, 'onElected'),
    onLost: optional(onLost, 'onLost'),
    onError: called(onError, 'onError'),
  }
}

export interface ObserveOptions {
  /** The server is asked again after random pauses of half of this to all of it. At least 10 ms; default 1s. */
  every?: Span
  /** Ends the iteration, quietly. */
  signal?: AbortSignal
}

export function observationOf(options: ObserveOptions): { everyMs: number; signal: AbortSignal | undefined } {
  checkKeys(options, { every: true, signal: true })
  const { every = 1000, signal } = options
  return { everyMs: span(every, 'every', SHORTEST_LOOK_MS, ENDLESS), signal: signalOf(signal) }
}

function wantedFor(options: CampaignOptions, defaults: Wanted): Wanted {
  const { ttl, maxHold = ENDLESS, maxStall = defaults.maxHoldMs, label, signal } = options
  const renew = oneOf(options.renew ?? true, [true, 'thread'] as const, 'renew')
  return wantedOf({ ttl, maxHold, maxStall, renew, label, signal, wait: ENDLESS, guarantee: 'fenced' }, defaults)
}
