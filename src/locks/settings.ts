/** The options of createLocks and acquire, checked, with the defaults in their places. */
import { basename } from 'node:path'
import { inspect } from 'node:util'
import { type Span, spanMs } from '../time/index.js'
import { marginMs } from './belief.js'
import { LockArgumentError } from './errors.js'
import { checkPrefix } from './names.js'
import type { AcquireOptions, Guarantee, LocksOptions } from './types.js'

/** Less would be gone before anybody could use it; more is a moment, not a span, to a memcached server. */
const SHORTEST_TTL_MS = 10
const LONGEST_TTL_MS = 30 * 86_400_000
const LONGEST_DEADLINE_MS = 2 ** 31 - 1
const LONGEST_LABEL = 200
const GUARANTEES: readonly Guarantee[] = ['efficiency', 'lease', 'fenced']

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
}

export interface Settings {
  readonly prefix: string
  readonly deadlineMs: number
  /** What `acquire` does when it is told nothing. */
  readonly defaults: AcquireOptions
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
  const { prefix = 'latchkey:lock:', deadlineMs = 1000, ttl = '30s', maxHold = '1h', guarantee = 'fenced' } = options
  const defaults = { ttl, maxHold, guarantee, label: options.label ?? programName() }
  wantedOf({}, defaults)
  return { prefix: checkPrefix(prefix), deadlineMs: checkDeadline(deadlineMs), defaults }
}

/** Throws LockArgumentError for options that are none, nobody knows, or no lock could have. */
export function wantedOf(options: AcquireOptions, defaults: AcquireOptions): Wanted {
  checkKeys(options, ACQUIRE)
  const given = { ...defaults, ...withoutUndefined(options) }
  const ttlMs = ttlOf(given.ttl)
  const maxHoldMs = span(given.maxHold, 'maxHold', 0, Number.POSITIVE_INFINITY)
  const mostLeftMs = ttlMs - marginMs(ttlMs)
  return {
    ttlMs,
    waitMs: span(given.wait ?? 0, 'wait', 0, Number.POSITIVE_INFINITY),
    maxHoldMs,
    maxStallMs: span(given.maxStall ?? maxHoldMs, 'maxStall', 0, Number.POSITIVE_INFINITY),
    renew: oneOf(given.renew ?? true, [true, false, 'thread'], 'renew'),
    minRemainingMs: span(given.minRemaining ?? ttlMs / 3, 'minRemaining', 0, mostLeftMs),
    guarantee: oneOf(given.guarantee as Guarantee, GUARANTEES, 'guarantee'),
    label: labelOf(given.label),
    signal: signalOf(given.signal),
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

function span(value: Span | unknown, name: string, leastMs: number, mostMs: number): number {
  const ms = spanMs(value)
  if (ms !== undefined && ms >= leastMs && ms <= mostMs) return ms
  const upTo = mostMs === Number.POSITIVE_INFINITY ? 'more' : `${mostMs} ms`
  throw new LockArgumentError(`${name} is a span of ${leastMs} ms to ${upTo}, such as '30s', not ${inspect(value)}`)
}

function checkDeadline(deadlineMs: unknown): number {
  if (typeof deadlineMs === 'number' && deadlineMs >= 1 && deadlineMs <= LONGEST_DEADLINE_MS) return deadlineMs
  throw new LockArgumentError(`deadlineMs is a number of milliseconds from 1 to 2^31 - 1, not ${inspect(deadlineMs)}`)
}

function oneOf<T>(value: T, allowed: readonly T[], name: string): T {
  if (allowed.includes(value)) return value
  throw new LockArgumentError(`${name} is ${allowed.map((each) => inspect(each)).join(' or ')}, not ${inspect(value)}`)
}

function labelOf(label: unknown): string | undefined {
  if (label === undefined) return undefined
  if (typeof label === 'string' && label.length <= LONGEST_LABEL && label.isWellFormed()) return label
  throw new LockArgumentError(`label is text of at most ${LONGEST_LABEL} characters, not ${inspect(label)}`)
}

function signalOf(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal
  throw new LockArgumentError(`signal is an AbortSignal, not ${inspect(signal)}`)
}

function programName(): string {
  return basename(process.argv[1] ?? 'node')
    .toWellFormed()
    .slice(0, LONGEST_LABEL)
}

function withoutUndefined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>
}
