/** The options of createClient, checked, with the defaults in their places. */
import type { ConnectionOptions } from 'node:tls'
import { inspect } from 'node:util'
import { MAX_RELATIVE_SECONDS } from '../protocol/index.js'
import { type Address, parseServers } from './address.js'
import type { Codec } from './codec.js'
import { InvalidArgumentError } from './errors.js'
import { wireKey } from './key.js'
import { milliseconds, type Span } from './ttl.js'
import type { ClientOptions, ConnectionDefaults, Policy, ViewOptions } from './types.js'

const KNOWN: Record<keyof ClientOptions<unknown>, true> = {
  servers: true,
  codec: true,
  ttl: true,
  deadlineMs: true,
  keyPrefix: true,
  distribution: true,
  policy: true,
  gutter: true,
  connections: true,
  maxPending: true,
  whenDown: true,
  reconnect: true,
  stallMs: true,
  tls: true,
  username: true,
  password: true,
  protocol: true,
}
const POLICIES: readonly Policy[] = ['fail', 'miss', 'gutter']
const GUTTER_TTL = '10s'
/** What a timer can wait. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/** What a connection needs to know. */
export interface LinkSettings {
  readonly connections: number
  readonly maxPending: number
  readonly waitWhenDown: boolean
  readonly reconnectMinMs: number
  readonly reconnectMaxMs: number
  readonly stallMs: number
  readonly tls: ConnectionOptions | undefined
  readonly credentials: { readonly username: string; readonly password: string } | undefined
  readonly classic: boolean
}

export interface GutterSettings {
  readonly servers: readonly Address[]
  /** Milliseconds. */
  readonly ttl: number
}

const VIEW = { codec: true, ttl: true, deadlineMs: true, keyPrefix: true } satisfies Record<
  keyof ViewOptions<unknown>,
  true
>
const CALL = {
  deadlineMs: true,
  signal: true,
  session: true,
  policy: true,
  ttl: true,
  noreply: true,
  classic: true,
  initial: true,
  cas: true,
  stale: true,
  lease: true,
  delay: true,
  prefix: true,
  pinned: true,
  limit: true,
}

/** Throws InvalidArgumentError for options that are none, or that nobody knows. */
export function checkClientOptions(options: object): void {
  checkNames(options, KNOWN)
}

export function checkViewOptions(options: object): void {
  checkNames(options, VIEW)
}

export function checkCallOptions(options: object): void {
  checkNames(options, CALL)
}

function checkNames(options: unknown, known: object): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError(`options are an object, not ${inspect(options)}`)
  }
  for (const name in options) {
    if (!Object.hasOwn(known, name)) throw new InvalidArgumentError(`there is no option ${name} here`)
  }
}

export function linkSettings(options: ConnectionDefaults): LinkSettings {
  const { username, password, reconnect = {}, whenDown = 'fail', protocol = 'auto', tls = false } = options
  checkNames(reconnect, { minMs: true, maxMs: true })
  if (typeof tls !== 'boolean' && (typeof tls !== 'object' || tls === null)) {
    throw new InvalidArgumentError(`tls is a boolean or options of node:tls, not ${inspect(tls)}`)
  }
  const reconnectMinMs = atLeast(1, reconnect.minMs ?? 50, 'reconnect.minMs')
  return {
    connections: whole(options.connections ?? 1, 'connections'),
    maxPending: whole(options.maxPending ?? 100_000, 'maxPending'),
    waitWhenDown: oneOf(whenDown, ['fail', 'wait'], 'whenDown') === 'wait',
    reconnectMinMs,
    reconnectMaxMs: atLeast(reconnectMinMs, reconnect.maxMs ?? Math.max(reconnectMinMs, 1000), 'reconnect.maxMs'),
    stallMs: atLeast(1, options.stallMs ?? 1000, 'stallMs'),
    tls: tls === false ? undefined : tls === true ? {} : tls,
    credentials: credentialsOf(username, password),
    classic: oneOf(protocol, ['auto', 'classic'], 'protocol') === 'classic',
  }
}

export function policyOf(policy: Policy, gutter: GutterSettings | undefined): Policy {
  oneOf(policy, POLICIES, 'policy')
  if (policy === 'gutter' && gutter === undefined) throw new InvalidArgumentError('policy gutter needs gutter.servers')
  return policy
}

export function gutterOf(gutter: ClientOptions<unknown>['gutter']): GutterSettings | undefined {
  if (gutter === undefined) return undefined
  checkNames(gutter, { servers: true, ttl: true })
  if (gutter.servers === undefined) throw new InvalidArgumentError('gutter.servers is missing')
  return { servers: parseServers(gutter.servers), ttl: duration(gutter.ttl ?? GUTTER_TTL, 'gutter.ttl') }
}

/** Whole seconds for the wire, rounded up: more than none, and not so many that they would mean a moment. */
export function wireSeconds(span: Span, name: string): number {
  return Math.ceil(duration(span, name) / 1000)
}

/** Milliseconds, more than none and at most 30 days. */
function duration(span: Span, name: string): number {
  const ms = milliseconds(span)
  if (ms > 0 && ms <= MAX_RELATIVE_SECONDS * 1000) return ms
  throw new InvalidArgumentError(`${name} is more than nothing and at most 30 days, not ${inspect(span)}`)
}

export function prefixOf(prefix: unknown): string {
  if (typeof prefix !== 'string') throw new InvalidArgumentError(`keyPrefix is text, not ${inspect(prefix)}`)
  wireKey('k', prefix)
  return prefix
}

export function codecOf<T>(codec: Codec<T>): Codec<T> {
  if (typeof codec?.encode === 'function' && typeof codec.decode === 'function') return codec
  throw new InvalidArgumentError(`a codec has encode and decode: ${inspect(codec)} is none`)
}

export function deadlineOf(deadlineMs: unknown): number {
  return atLeast(0, deadlineMs, 'deadlineMs')
}

function credentialsOf(username: unknown, password: unknown): LinkSettings['credentials'] {
  if (username === undefined && password === undefined) return undefined
  if (typeof username !== 'string' || typeof password !== 'string') {
    throw new InvalidArgumentError('username and password are both strings, or both left out')
  }
  if (username === '' || /\s/.test(username)) throw new InvalidArgumentError('a username has no spaces')
  return { username, password }
}

function oneOf<T extends string>(value: T, allowed: readonly T[], name: string): T {
  if (allowed.includes(value)) return value
  throw new InvalidArgumentError(`${name} is ${allowed.join(' or ')}, not ${inspect(value)}`)
}

export function whole(value: unknown, name: string): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number
  throw new InvalidArgumentError(`${name} is a whole number from 1, not ${inspect(value)}`)
}

function atLeast(least: number, value: unknown, name: string): number {
  if (typeof value === 'number' && value >= least && value <= LONGEST_TIMER_MS) return value
  throw new InvalidArgumentError(`${name} is a number of milliseconds from ${least} to 2^31 - 1, not ${inspect(value)}`)
}
