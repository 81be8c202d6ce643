/** Gives every exchange its server and its deadline, and where that server is away does what the policy says. */
import { performance } from 'node:perf_hooks'
import type { Codec } from './codec.js'
import { GetMany } from './commands/get-many.js'
import { observe } from './diagnostics.js'
import { ConnectionLostError, DeadlineExceededError, InvalidArgumentError, ServerUnavailableError } from './errors.js'
import type { Exchange } from './exchange.js'
import type { Fleet } from './fleet.js'
import { fullKey, type WireKey, wireKey } from './key.js'
import { checkCallOptions, deadlineOf, policyOf } from './settings.js'
import type { CallOptions, Key, Policy, ReadOptions, Session } from './types.js'
import type { Upstream } from './upstream.js'

/** Makes an exchange of a key; on a spare server, what it stores lives no longer than `capMs`. */
export type Make<R> = (key: WireKey, capMs?: number) => Exchange<R>

export interface DispatchDefaults {
  readonly prefix: string
  readonly deadlineMs: number
  readonly policy: Policy
}

export class Dispatch {
  readonly fleet: Fleet
  readonly defaults: DispatchDefaults

  constructor(fleet: Fleet, defaults: DispatchDefaults) {
    this.fleet = fleet
    this.defaults = defaults
  }

  /** To the key's own server, whatever the policy. */
  keyed<R>(key: Key, options: CallOptions, make: Make<R>): Promise<R> {
    return rejecting(() => {
      checkCallOptions(options)
      const policy = (options as ReadOptions).policy
      if (policy !== undefined && policy !== 'fail') {
        throw new InvalidArgumentError(`policy ${policy} is for get, gat, getMany, set and fetch: the others fail`)
      }
      const full = fullKey(key, this.defaults.prefix)
      return this.#start(make(wireKey(full)), this.fleet.upstreamOf(full, options.session), options, full)
    })
  }

  /** Like `keyed`; under the policies `miss` and `gutter` an error that `excuses` lets pass is not the end. */
  routed<R>(
    key: Key,
    options: ReadOptions,
    make: Make<R>,
    missed: R,
    excuses: (error: unknown) => boolean,
  ): Promise<R> {
    return rejecting(() => {
      checkCallOptions(options)
      const policy = this.policy(options)
      const full = fullKey(key, this.defaults.prefix)
      const wire = wireKey(full)
      const exchange = make(wire)
      if (policy === 'fail') return this.#start(exchange, this.fleet.upstreamOf(full, options.session), options, full)
      const until = this.until(options)
      const first = policy === 'gutter' ? this.#halfOf(options) : options
      return this.#start(exchange, this.fleet.upstreamOf(full), first, full).catch((error) => {
        if (!excuses(error)) throw error
        if (policy === 'miss') return missed
        const second = make(wire, this.fleet.gutter!.ttl)
        return this.#start(second, this.fleet.spareOf(full), leftOf(options, until), full)
      })
    })
  }

  /** One batch a server. */
  getMany<K extends Key, T>(keys: Iterable<K>, options: ReadOptions, codec: Codec<T>): Promise<Map<K, T>> {
    return rejecting(() => {
      if (typeof keys === 'string' || typeof keys?.[Symbol.iterator] !== 'function') {
        throw new InvalidArgumentError('getMany takes a list of keys')
      }
      checkCallOptions(options)
      const policy = this.policy(options)
      const own = (full: Key) => this.fleet.upstreamOf(full, options.session)
      if (policy === 'fail') return this.#batches(keys, own, options, codec)
      const until = this.until(options)
      return this.#batches(
        keys,
        own,
        policy === 'gutter' ? this.#halfOf(options) : options,
        codec,
        (error, missing) => {
          if (!isAway(error)) throw error
          if (policy === 'miss') return Promise.resolve(new Map())
          return this.#batches(missing, (full) => this.fleet.spareOf(full), leftOf(options, until), codec)
        },
      )
    })
  }

  /** The same of every server, by its name; with a session, of that one's. */
  async everywhere<R>(options: CallOptions, make: () => Exchange<R>): Promise<Map<string, R>> {
    checkCallOptions(options)
    const { session } = options
    const upstreams = session === undefined ? this.fleet.upstreams : [this.fleet.upstreamNamed(session.server)]
    const results = await Promise.all(upstreams.map((upstream) => this.#start(make(), upstream, options, undefined)))
    return new Map(upstreams.map((upstream, i) => [upstream.name, results[i]]))
  }

  /** To a server by its name. */
  named<R>(server: string, options: CallOptions, exchange: Exchange<R>): Promise<R> {
    return rejecting(() => this.#start(exchange, this.fleet.upstreamNamed(server), options, undefined))
  }

  currentSession(key: Key): Session | undefined {
    return this.fleet.upstreamOf(fullKey(key, this.defaults.prefix)).currentSession
  }

  serverOf(key: Key): string {
    const full = fullKey(key, this.defaults.prefix)
    wireKey(full)
    return this.fleet.upstreamOf(full).name
  }

  policy(options: ReadOptions): Policy {
    return options.policy === undefined ? this.defaults.policy : policyOf(options.policy, this.fleet.gutter)
  }

  /** When a call that begins now is over, on the clock of `performance.now()`. */
  until(options: CallOptions): number {
    return performance.now() + deadlineOf(options.deadlineMs ?? this.defaults.deadlineMs)
  }

  #start<R>(exchange: Exchange<R>, upstream: Upstream, options: CallOptions, key: Key | undefined): Promise<R> {
    const { deadlineMs, signal, session } = options
    exchange.session = session
    exchange.deadlineMs = deadlineMs === undefined ? this.defaults.deadlineMs : deadlineOf(deadlineMs)
    exchange.deadlineAt = performance.now() + exchange.deadlineMs
    checkSignal(signal)
    if (signal !== undefined) exchange.endOn(signal)
    observe(exchange, upstream.name, key)
    if (exchange.deadlineMs === 0) exchange.expire(exchange.deadlineAt, upstream.name)
    const result = exchange.awaitsReply ? exchange.promise : exchange.written(true as R)
    upstream.submit(exchange)
    return result
  }

  /** What a spare server is to have time for. */
  #halfOf<O extends CallOptions>(options: O): O {
    return { ...options, deadlineMs: (options.deadlineMs ?? this.defaults.deadlineMs) / 2 }
  }

  async #batches<K extends Key, T>(
    keys: Iterable<K>,
    upstreamOf: (full: Key) => Upstream,
    options: ReadOptions,
    codec: Codec<T>,
    otherwise?: (error: unknown, keys: K[]) => Promise<Map<K, T>>,
  ): Promise<Map<K, T>> {
    const batches = new Map<Upstream, { names: K[]; wires: WireKey[] }>()
    for (const name of keys) {
      const full = fullKey(name, this.defaults.prefix)
      const wire = wireKey(full)
      const upstream = upstreamOf(full)
      const batch = batches.get(upstream) ?? { names: [], wires: [] }
      batches.set(upstream, batch)
      batch.names.push(name)
      batch.wires.push(wire)
    }
    const parts = await Promise.all(
      Array.from(batches, ([upstream, { names, wires }]) => {
        const found = this.#start(new GetMany(wires, names, codec), upstream, options, undefined)
        return otherwise === undefined ? found : found.catch((error) => otherwise(error, names))
      }),
    )
    return parts.length === 1 ? parts[0] : new Map(parts.flatMap((part) => [...part]))
  }
}

/** The server cannot be reached, or cannot be heard: for a read both are the same. */
export function isAway(error: unknown): boolean {
  return isUnsent(error) || error instanceof DeadlineExceededError || error instanceof ConnectionLostError
}

/** The server cannot be reached, and has not heard of the request. */
export function isUnsent(error: unknown): boolean {
  return error instanceof ServerUnavailableError || (error instanceof DeadlineExceededError && !error.sent)
}

/** Throws for what is no signal, and the reason of one that has been given already. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined) return
  if (!(signal instanceof AbortSignal)) throw new InvalidArgumentError('signal is an AbortSignal')
  signal.throwIfAborted()
}

/** What throws rejects. */
export function rejecting<R>(run: () => Promise<R>): Promise<R> {
  try {
    return run()
  } catch (error) {
    return Promise.reject(error)
  }
}

/** The options for a further step, with what is left of the time. */
export function leftOf<O extends CallOptions>(options: O, until: number): O & { deadlineMs: number } {
  return { ...options, deadlineMs: Math.max(0, until - performance.now()) }
}
