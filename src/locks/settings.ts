/** The options of createLocks and acquire, checked, with the defaults in their places. */
import { basename } from 'node:path'
import { inspect } from 'node:util'
import { type Span, spanMs } from '../time/index.js'
import { marginMs } from './belief.js'
import { type LockAmbiguousError, LockArgumentError, type LockUnavailableError } from './errors.js'
import { checkPrefix } from './names.js'
import type { AcquireOptions, Guarantee, LocksOptions } from './types.js'

/** Less would be gone before anybody could use it; more is a moment, not a span, to a memcached server. */
const SHORTEST_TTL_MS = 10
const LONGEST_TTL_MS = 30 * 86_400_000
const LONGEST_DEADLINE_MS = 2 ** 31 - 1
const LONGEST_LABEL = 200
const GUARANTEES: readonly Guarantee[] = ['efficiency', 'lease', 'fenced']
const RENEWALS = [true, false, 'thread'] as const
export const ENDLESS = Number.POSITIVE_INFINITY

type Undefinable<T> = { [K in keyof T]?: T[K] | undefined }

/** Is told of a try that came to nothing, or to nothing that is known, and after which another is made. */
export type Setback = (error: LockUnavailableError | LockAmbiguousError) => void

/** How one lock is to be acquired and kept. */
export interface Wanted {
  readonly ttlMs: number
  readonly waitMs: number
  readonly maxHoldMs: number
  readonly maxStallMs: number
  readonly renew: boolean | 'thread'
  readonly minRemainingMs: number
  readonly guarantee: Guarantee
  readonly label: string | undefined
  readonly signal: AbortSignal | undefined
  /** For who waits so long that it is worth a word. */
  readonly onSetback: Setback | undefined
}

export interface Settings {
  readonly prefix: string
  readonly deadlineMs: number
  /** What `acquire` does when it is told nothing. */
  readonly defaults: Wanted
}

const DEFAULTS: Wanted = {
  ttlMs: 30_000,
  waitMs: 0,
  maxHoldMs: 3_600_000,
  maxStallMs: 3_600_000,
  renew: true,
  minRemainingMs: 10_000,
  guarantee: 'fenced',
  label: undefined,
  signal: undefined,
  onSetback: undefined,
}

const LOCKS = {
  ttl: true,
  maxHold: true,
  prefix: true,
  deadlineMs: true,
  guarantee: true,
  label: true,
} satisfies Record<keyof LocksOptions, true>
const ACQUIRE = {
  ttl: true,
  wait: true,
  maxHold: true,
  maxStall: true,
  renew: true,
  minRemaining: true,
  guarantee: true,
  label: true,
  signal: true,
} satisfies Record<keyof AcquireOptions, true>

export function locksSettings(options: LocksOptions): Settings {
  checkKeys(options, LOCKS)
  const { prefix = 'latchkey:lock:', deadlineMs = 1000, ttl, maxHold, guarantee, label = programName() } = options
  const defaults = wantedOf({ ttl, maxHold, guarantee, label }, DEFAULTS)
  return { prefix: checkPrefix(prefix), deadlineMs: checkDeadline(deadlineMs), defaults }
}

/**
 * What is not given, or undefined, is as in `defaults`. Throws LockArgumentError for options that are none, nobody knows, or no
 * lock could have. It is done for every lock, so nothing is made on the way.
 */
export function wantedOf(options: Undefinable<AcquireOptions>, defaults: Wanted): Wanted {
  checkKeys(options, ACQUIRE)
  const { ttl, wait, maxHold, maxStall, renew, minRemaining, guarantee, label } = options
  const ttlMs = ttl === undefined ? defaults.ttlMs : ttlOf(ttl)
  const maxHoldMs = maxHold === undefined ? defaults.maxHoldMs : span(maxHold, 'maxHold', 0, ENDLESS)
  return {
    ttlMs,
    waitMs: wait === undefined ? defaults.waitMs : span(wait, 'wait', 0, ENDLESS),
    maxHoldMs,
    maxStallMs: maxStall === undefined ? maxHoldMs : span(maxStall, 'maxStall', 0, ENDLESS),
    renew: renew === undefined ? defaults.renew : oneOf(renew, RENEWALS, 'renew'),
    minRemainingMs:
      minRemaining === undefined ? ttlMs / 3 : span(minRemaining, 'minRemaining', 0, ttlMs - marginMs(ttlMs)),
    guarantee: guarantee === undefined ? defaults.guarantee : oneOf(guarantee, GUARANTEES, 'guarantee'),
    label: label === undefined ? defaults.label : labelOf(label),
    signal: signalOf(options.signal),
    onSetback: undefined,
  }
}

/** The milliseconds of a lease. */
export function ttlOf(ttl: unknown): number {
  return span(ttl, 'ttl', SHORTEST_TTL_MS, LONGEST_TTL_MS)
}

export function checkKeys(options: unknown, known: object): void {
  if (typeof options !== 'object' || options === null) {
    throw new LockArgumentError(`options are an object, not ${inspect(options)}`)
  }
  for (const name in options) {
    if (!Object.hasOwn(known, name)) throw new LockArgumentError(`there is no option ${name} here`)
  }
}

/** The milliseconds of a span; throws LockArgumentError for what is none, or out of bounds. */
export function span(value: Span | unknown, name: string, leastMs: number, mostMs: number): number {
  const ms = spanMs(value)
  if (ms !== undefined && ms >= leastMs && ms <= mostMs) return ms
  const upTo = mostMs === ENDLESS ? 'more' : `${mostMs} ms`
  throw new LockArgumentError(`${name} is a span of ${leastMs} ms to ${upTo}, such as '30s', not ${inspect(value)}`)
}

function checkDeadline(deadlineMs: unknown): number {
  if (typeof deadlineMs === 'number' && deadlineMs >= 1 && deadlineMs <= LONGEST_DEADLINE_MS) return deadlineMs
  throw new LockArgumentError(`deadlineMs is a number of milliseconds from 1 to 2^31 - 1, not ${inspect(deadlineMs)}`)
}

export function oneOf<T>(value: T, allowed: readonly T[], name: string): T {
  if (allowed.includes(value)) return value
  throw new LockArgumentError(`${name} is ${allowed.map((each) => inspect(each)).join(' or ')}, not ${inspect(value)}`)
}

function labelOf(label: unknown): string {
  if (typeof label === 'string' && label.length <= LONGEST_LABEL && label.isWellFormed()) return label
  throw new LockArgumentError(`label is text of at most ${LONGEST_LABEL} characters, not ${inspect(label)}`)
}

export function signalOf(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal
  throw new LockArgumentError(`signal is an AbortSignal, not ${inspect(signal)}`)
}

function programName(): string {
  return basename(process.argv[1] ?? 'node')
    .toWellFormed()
    .slice(0, LONGEST_LABEL)
}
