/** The options of createClient, checked, with the defaults in their places. */
import type { ConnectionOptions } from 'node:tls'
import { type Address, parseServers } from './address.js'
import { InvalidArgumentError } from './errors.js'
import { milliseconds, type Ttl } from './ttl.js'
import type { ClientOptions, ConnectionDefaults, Policy } from './types.js'

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

/** Throws InvalidArgumentError for an option that is unknown or has a value it cannot have. */
export function checkNames(options: object): void {
  for (const name of Object.keys(options)) {
    if (!(name in KNOWN)) throw new InvalidArgumentError(`there is no option ${name}`)
  }
}

export function linkSettings(options: ConnectionDefaults): LinkSettings {
  const { username, password, reconnect = {}, whenDown = 'fail', protocol = 'auto', tls = false } = options
  const reconnectMinMs = atLeast(1, reconnect.minMs ?? 50, 'reconnect.minMs')
  return {
    connections: whole(options.connections ?? 1, 'connections'),
    maxPending: whole(options.maxPending ?? 100_000, 'maxPending'),
    waitWhenDown: oneOf(whenDown, ['fail', 'wait'], 'whenDown') === 'wait',
    reconnectMinMs,
    reconnectMaxMs: atLeast(reconnectMinMs, reconnect.maxMs ?? 1000, 'reconnect.maxMs'),
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
  return { servers: parseServers(gutter.servers), ttl: duration(gutter.ttl ?? GUTTER_TTL, 'gutter.ttl') }
}

/** Milliseconds, more than none and not for ever. */
export function duration(span: Ttl, name: string): number {
  const ms = milliseconds(span)
  if (ms <= 0 || ms === Number.POSITIVE_INFINITY) throw new InvalidArgumentError(`${name} must end: ${String(span)}`)
  return ms
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
  throw new InvalidArgumentError(`${name} is ${allowed.join(' or ')}, not ${String(value)}`)
}

function whole(value: unknown, name: string): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number
  throw new InvalidArgumentError(`${name} is a whole number from 1, not ${String(value)}`)
}

function atLeast(least: number, value: unknown, name: string): number {
  if (typeof value === 'number' && value >= least && value < Number.POSITIVE_INFINITY) return value
  throw new InvalidArgumentError(`${name} is a number of milliseconds from ${least}, not ${String(value)}`)
}
