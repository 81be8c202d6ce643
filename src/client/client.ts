/** The client: every call is checked, given its server and its deadline, and sent. */
import { performance } from 'node:perf_hooks'
import { inspect } from 'node:util'
import { parseServers } from './address.js'
import type { Codec, Encoded } from './codec.js'
import { text } from './codecs/index.js'
import { Flush, Stats, Version } from './commands/admin.js'
import { Count } from './commands/counter.js'
import { Get, Gets } from './commands/get.js'
import { GetMany } from './commands/get-many.js'
import { Meta } from './commands/meta.js'
import { Remove } from './commands/remove.js'
import { CompareAndSwap, Store, type StoreMode } from './commands/store.js'
import { Touch } from './commands/touch.js'
import { observe } from './diagnostics.js'
import {
  CodecError,
  ConnectionLostError,
  DeadlineExceededError,
  InvalidArgumentError,
  ServerUnavailableError,
  UnsupportedError,
} from './errors.js'
import type { Exchange } from './exchange.js'
import { fetch } from './fetch.js'
import { Fleet } from './fleet.js'
import { type WireKey, wireKey } from './key.js'
import { checkNames, deadlineOf, duration, gutterOf, linkSettings, policyOf } from './settings.js'
import { exptimeOf, milliseconds, remainingMs, type Ttl } from './ttl.js'
import type {
  CallOptions,
  CasOptions,
  CasOutcome,
  ClientOptions,
  CounterOptions,
  DeleteOptions,
  FetchOptions,
  FlushOptions,
  Key,
  MetaCommand,
  MetaReply,
  Policy,
  ReadOptions,
  SetOptions,
  UpdateOptions,
  Versioned,
  ViewOptions,
  WriteOptions,
} from './types.js'
import { type Change, update } from './update.js'
import type { Upstream } from './upstream.js'

const U64 = 2n ** 64n
const DEADLINE_MS = 1000
const LEASE: Ttl = '10s'
const NONE: Readonly<WriteOptions> = Object.freeze({})

/** What the views of one client differ in. */
interface View<T> {
  readonly codec: Codec<T>
  readonly ttl: Ttl | undefined
  readonly deadlineMs: number
  readonly prefix: string
  readonly policy: Policy
}

/**
 * A client of one memcached server or several. Connects with the first call. Without `servers`, to 127.0.0.1:11211.
 * Throws InvalidArgumentError for options that make no sense.
 */
export function createClient(options?: ClientOptions<string> & { codec?: undefined }): Client<string>
export function createClient<T>(options: ClientOptions<T> & { codec: Codec<T> }): Client<T>
export function createClient<T>(options: ClientOptions<T> = {}): Client<T> {
  checkNames(options)
  const gutter = gutterOf(options.gutter)
  const fleet = new Fleet(parseServers(options.servers), options.distribution, gutter, linkSettings(options))
  exptimeOf(options.ttl, 0)
  return new Client(fleet, {
    codec: options.codec ?? (text() as Codec<unknown> as Codec<T>),
    ttl: options.ttl,
    deadlineMs: deadlineOf(options.deadlineMs ?? DEADLINE_MS),
    prefix: options.keyPrefix ?? '',
    policy: policyOf(options.policy ?? 'fail', gutter),
  })
}

/**
 * Every call settles within its deadline, by default a second. A miss is `undefined` or false; whatever else went wrong
 * rejects with one of the errors of this module, or with the reason of the signal.
 */
export class Client<T> implements AsyncDisposable {
  readonly #fleet: Fleet
  readonly #view: View<T>
  /** Computations of `fetch` under way in this process, by key. */
  readonly #computing = new Map<string, Promise<T>>()

  /** @internal Use `createClient`. */
  constructor(fleet: Fleet, view: View<T>) {
    this.#fleet = fleet
    this.#view = view
  }

  /** The same servers and connections with another codec, ttl, deadline or key prefix. */
  with(changes: ViewOptions<T> & { codec?: undefined }): Client<T>
  with<U>(changes: ViewOptions<U> & { codec: Codec<U> }): Client<U>
  with<U>(changes: ViewOptions<U>): Client<U> {
    checkNames(changes)
    exptimeOf(changes.ttl, 0)
    return new Client(this.#fleet, {
      codec: changes.codec ?? (this.#view.codec as Codec<unknown> as Codec<U>),
      ttl: changes.ttl ?? this.#view.ttl,
      deadlineMs: deadlineOf(changes.deadlineMs ?? this.#view.deadlineMs),
      prefix: changes.keyPrefix ?? this.#view.prefix,
      policy: this.#view.policy,
    })
  }

  /** The value, or undefined for a miss. */
  get(key: Key, options: ReadOptions = NONE): Promise<T | undefined> {
    return this.#readAt(key, options, (wire) => new Get(wire, this.#view.codec))
  }

  /** The value with the token for `cas` and `delete`. */
  gets(key: Key, options: CallOptions = NONE): Promise<Versioned<T> | undefined> {
    return this.#at(key, options, (wire) => new Gets(wire, this.#view.codec))
  }

  /** The value, which from now on lives for `ttl`. */
  gat(key: Key, ttl: Ttl, options: ReadOptions = NONE): Promise<T | undefined> {
    return this.#readAt(key, options, (wire, cap) => new Get(wire, this.#view.codec, this.#exptime(ttl, cap)))
  }

  /** The values that are there, by the keys given, in no particular order: one batch a server. */
  async getMany<K extends Key>(keys: Iterable<K>, options: ReadOptions = NONE): Promise<Map<K, T>> {
    const batches = new Map<Upstream, { names: K[]; wires: WireKey[] }>()
    for (const name of keys) {
      const wire = wireKey(name, this.#view.prefix)
      const upstream = this.#fleet.upstreamOf(this.#fullKey(name))
      const batch = batches.get(upstream) ?? { names: [], wires: [] }
      batches.set(upstream, batch)
      batch.names.push(name)
      batch.wires.push(wire)
    }
    const parts = await Promise.all(
      Array.from(batches, ([upstream, batch]) => this.#getBatch(upstream, batch.names, batch.wires, options)),
    )
    return parts.length === 1 ? parts[0] : new Map(parts.flatMap((part) => [...part]))
  }

  /** True when stored; false only under the policy `miss`, when the server could not be reached. */
  set(key: Key, value: T, options: SetOptions = NONE): Promise<boolean> {
    return this.#guarded(() => {
      const encoded = this.#encode(value)
      const make = (wire: WireKey, cap?: number) => new Store('set', wire, encoded, this.#exptime(options.ttl, cap))
      return this.#withPolicy(key, options, make, isUnsent, false)
    })
  }

  /** Only where nothing is: false when there is an item. */
  add(key: Key, value: T, options: WriteOptions = NONE): Promise<boolean> {
    return this.#store('add', key, value, options)
  }

  /** Only where something is: false when there is no item. */
  replace(key: Key, value: T, options: WriteOptions = NONE): Promise<boolean> {
    return this.#store('replace', key, value, options)
  }

  /** Behind the value that is there, whose flags and time it keeps; false when there is none. */
  append(key: Key, value: T, options: Omit<WriteOptions, 'ttl'> = NONE): Promise<boolean> {
    return this.#store('append', key, value, options)
  }

  /** Before the value that is there, whose flags and time it keeps; false when there is none. */
  prepend(key: Key, value: T, options: Omit<WriteOptions, 'ttl'> = NONE): Promise<boolean> {
    return this.#store('prepend', key, value, options)
  }

  /** Only if the item has not changed since `gets` told this token. */
  cas(key: Key, value: T, token: bigint, options: CasOptions = NONE): Promise<CasOutcome> {
    return this.#guarded(() => {
      const encoded = this.#encode(value)
      const exptime = this.#exptime(options.ttl)
      return this.#at(key, options, (wire) => new CompareAndSwap(wire, encoded, exptime, u64(token, 'token')))
    })
  }

  /** The counter after the addition, which wraps at 2^64; undefined when there is none and no `initial` is given. */
  incr(key: Key, delta: number | bigint = 1, options: CounterOptions = NONE): Promise<bigint | undefined> {
    return this.#count('incr', key, delta, options)
  }

  /** The counter after the subtraction, which stops at 0; undefined when there is none and no `initial` is given. */
  decr(key: Key, delta: number | bigint = 1, options: CounterOptions = NONE): Promise<bigint | undefined> {
    return this.#count('decr', key, delta, options)
  }

  /** True when there was an item, which with `cas` still had that token. */
  delete(key: Key, options: DeleteOptions = NONE): Promise<boolean> {
    const { cas } = options
    return this.#at(key, options, (wire) => new Remove(wire, cas === undefined ? undefined : u64(cas, 'cas')))
  }

  /** Lets the item live for `ttl` from now on; false when there is none. */
  touch(key: Key, ttl: Ttl, options: CallOptions = NONE): Promise<boolean> {
    return this.#at(key, options, (wire) => new Touch(wire, this.#exptime(ttl)))
  }

  /**
   * Reads, changes and writes back until nobody has interfered, and returns the value that holds then. `change` gets
   * undefined for a missing item, may be called several times, and changes nothing by returning undefined.
   * Rejects with UpdateConflictError when others were faster until the deadline. When an answer is lost it is not
   * known whether the change was made, and the error says so: it is not made a second time.
   */
  update(key: Key, change: (current: T | undefined) => T | Promise<T>, options?: UpdateOptions): Promise<T>
  update(key: Key, change: Change<T>, options?: UpdateOptions): Promise<T | undefined>
  update(key: Key, change: Change<T>, options: UpdateOptions = {}): Promise<T | undefined> {
    return update(this, key, change, { ...options, deadlineMs: options.deadlineMs ?? this.#view.deadlineMs })
  }

  /**
   * The value, or else what `compute` returns, which is stored for `ttl`. Of all callers in all processes one computes
   * and the others wait for it, or with `stale` take the old value meanwhile. What is thrown by `compute` rejects the
   * call and lets the next caller try. `deadlineMs` bounds the whole call, by default only each step of the cache.
   * On servers without meta commands it is computed once in each process.
   */
  fetch(key: Key, ttl: Ttl | undefined, compute: () => T | Promise<T>, options: FetchOptions = {}): Promise<T> {
    return this.#guarded(() => {
      exptimeOf(ttl, Date.now())
      const { text: name, base64 } = wireKey(key, this.#view.prefix)
      const id = base64 ? `b ${name}` : name
      let computing = this.#computing.get(id)
      if (computing === undefined) {
        computing = this.#fetch(key, ttl, compute, options).finally(() => this.#computing.delete(id))
        this.#computing.set(id, computing)
      }
      return this.#within(computing, key, options)
    })
  }

  /** One meta command as it stands in memcached's protocol, for what has no method here. */
  meta(
    command: MetaCommand,
    key: Key,
    flags: readonly string[] = [],
    value?: Uint8Array | string,
    options: CallOptions = NONE,
  ): Promise<MetaReply> {
    return this.#at(key, options, (wire) => new Meta(command, wire, flags, value))
  }

  /** Makes everything on all servers expire, at once or after `delay`. */
  async flush(options: FlushOptions = {}): Promise<void> {
    const seconds = Math.ceil(milliseconds(options.delay ?? 0) / 1000)
    await this.#everywhere(options, () => new Flush(seconds))
  }

  /** The statistics of every server, by its name. `group`: settings, items, slabs, sizes, conns, … */
  stats(group = '', options: CallOptions = NONE): Promise<Map<string, Record<string, string>>> {
    return this.#guarded(() => {
      if (!/^[a-z]*$/.test(group)) throw new InvalidArgumentError(`${inspect(group)} is no group of statistics`)
      return this.#everywhere(options, () => new Stats(group))
    })
  }

  /** The version of every server, by its name. */
  version(options: CallOptions = NONE): Promise<Map<string, string>> {
    return this.#everywhere(options, () => new Version())
  }

  /** The name of the server that this key belongs to. */
  serverOf(key: Key): string {
    wireKey(key, this.#view.prefix)
    return this.#fleet.upstreamOf(this.#fullKey(key)).name
  }

  /** Waits for what is under way, each until its deadline, and ends the connections: of all views. */
  close(): Promise<void> {
    return this.#fleet.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #store(mode: StoreMode, key: Key, value: T, options: WriteOptions): Promise<boolean> {
    return this.#guarded(() => {
      const encoded = this.#encode(value)
      const keeps = mode === 'append' || mode === 'prepend'
      const exptime = keeps ? 0 : this.#exptime(options.ttl)
      return this.#at(
        key,
        options,
        (wire) => new Store(mode, wire, keeps ? { ...encoded, flags: 0 } : encoded, exptime),
      )
    })
  }

  #count(
    operation: 'incr' | 'decr',
    key: Key,
    delta: number | bigint,
    options: CounterOptions,
  ): Promise<bigint | undefined> {
    return this.#guarded(() => {
      const by = u64(delta, 'delta')
      if (options.initial === undefined) return this.#at(key, options, (wire) => new Count(operation, wire, by))
      const vivify = { initial: u64(options.initial, 'initial'), exptime: this.#exptime(options.ttl) }
      return this.#at(key, options, (wire) => new Count(operation, wire, by, vivify)).catch((error) => {
        if (error instanceof UnsupportedError) return this.#countInSteps(operation, key, by, vivify, options)
        throw error
      })
    })
  }

  /** Without meta commands: add creates it, and when somebody was faster, there is one to count. */
  async #countInSteps(
    operation: 'incr' | 'decr',
    key: Key,
    delta: bigint,
    { initial, exptime }: { initial: bigint; exptime: number },
    options: CounterOptions,
  ): Promise<bigint> {
    const encoded = { data: `${initial}`, flags: 0 }
    for (;;) {
      const counted = await this.#at(key, options, (wire) => new Count(operation, wire, delta))
      if (counted !== undefined) return counted
      if (await this.#at(key, options, (wire) => new Store('add', wire, encoded, exptime))) return initial
    }
  }

  async #fetch(key: Key, ttl: Ttl | undefined, compute: () => T | Promise<T>, options: FetchOptions): Promise<T> {
    const plan = {
      key,
      ttl: ttl ?? this.#view.ttl,
      staleMs: milliseconds(options.stale ?? 0),
      leaseSeconds: Math.ceil(duration(options.lease ?? LEASE, 'lease') / 1000),
      compute,
      codec: this.#view.codec,
    }
    try {
      return await fetch(this, plan)
    } catch (error) {
      if (this.#policy(options) !== 'fail' && isAway(error)) return compute()
      throw error
    }
  }

  /** A caller's own patience with a computation that others may wait for too. */
  #within(computing: Promise<T>, key: Key, { deadlineMs, signal }: FetchOptions): Promise<T> {
    if (deadlineMs === undefined && signal === undefined) return computing
    const { name } = this.#fleet.upstreamOf(this.#fullKey(key))
    const patience = deadlineMs === undefined ? undefined : deadlineOf(deadlineMs)
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal!.reason)
      if (signal?.aborted) onAbort()
      signal?.addEventListener('abort', onAbort, { once: true })
      const late = () => reject(new DeadlineExceededError(name, patience!, true))
      const timer = patience === undefined ? undefined : setTimeout(late, patience)
      computing.then(resolve, reject).finally(() => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
      })
    })
  }

  #getBatch<K extends Key>(upstream: Upstream, names: K[], wires: WireKey[], options: ReadOptions): Promise<Map<K, T>> {
    const policy = this.#policy(options)
    const started = performance.now()
    const make = () => new GetMany<K, T>(wires, names, this.#view.codec)
    const found = this.#start(make(), upstream, options, undefined)
    if (policy === 'fail') return found
    return found.catch(async (error) => {
      if (!isAway(error)) throw error
      if (policy === 'miss') return new Map()
      const left = this.#left(options, started)
      const parts = names.map((name) =>
        this.#start(
          new Get(wireKey(name, this.#view.prefix), this.#view.codec),
          this.#fleet.spareOf(this.#fullKey(name)),
          left,
          name,
        ),
      )
      const values = await Promise.all(parts)
      return new Map(names.flatMap((name, i) => (values[i] === undefined ? [] : [[name, values[i]]])))
    })
  }

  #readAt<R>(
    key: Key,
    options: ReadOptions,
    make: (wire: WireKey, cap?: number) => Exchange<R | undefined>,
  ): Promise<R | undefined> {
    return this.#guarded(() => this.#withPolicy(key, options, make, isAway, undefined))
  }

  /** `cap` is the longest life in milliseconds of what is made on a spare server. */
  #withPolicy<R>(
    key: Key,
    options: SetOptions,
    make: (wire: WireKey, cap?: number) => Exchange<R>,
    isExcused: (error: unknown) => boolean,
    missed: R,
  ): Promise<R> {
    const policy = this.#policy(options)
    const started = policy === 'fail' ? 0 : performance.now()
    const wire = wireKey(key, this.#view.prefix)
    const first = this.#start(make(wire), this.#fleet.upstreamOf(this.#fullKey(key)), options, key)
    if (policy === 'fail') return first
    return first.catch((error) => {
      if (!isExcused(error)) throw error
      if (policy === 'miss') return missed
      const spare = this.#fleet.spareOf(this.#fullKey(key))
      return this.#start(make(wire, this.#fleet.gutter!.ttl), spare, this.#left(options, started), key)
    })
  }

  /** To the key's own server, whatever the policy. */
  #at<R>(key: Key, options: WriteOptions, make: (wire: WireKey) => Exchange<R>): Promise<R> {
    return this.#guarded(() => {
      const exchange = make(wireKey(key, this.#view.prefix))
      return this.#start(exchange, this.#fleet.upstreamOf(this.#fullKey(key)), options, key)
    })
  }

  async #everywhere<R>(options: CallOptions, make: () => Exchange<R>): Promise<Map<string, R>> {
    const { upstreams } = this.#fleet
    const results = await Promise.all(upstreams.map((upstream) => this.#start(make(), upstream, options, undefined)))
    return new Map(upstreams.map((upstream, i) => [upstream.name, results[i]]))
  }

  #start<R>(exchange: Exchange<R>, upstream: Upstream, options: WriteOptions, key: Key | undefined): Promise<R> {
    const { signal } = options
    exchange.deadlineMs = options.deadlineMs === undefined ? this.#view.deadlineMs : deadlineOf(options.deadlineMs)
    exchange.deadlineAt = performance.now() + exchange.deadlineMs
    if (signal !== undefined) {
      if (!(signal instanceof AbortSignal)) throw new InvalidArgumentError('signal is an AbortSignal')
      exchange.endOn(signal)
    }
    observe(exchange, upstream.name, key === undefined ? undefined : this.#fullKey(key))
    upstream.submit(exchange)
    if (options.noreply !== true || exchange.settled) return exchange.promise
    exchange.promise.catch(() => {})
    return Promise.resolve(true as R)
  }

  /** What throws rejects. */
  #guarded<R>(run: () => Promise<R>): Promise<R> {
    try {
      return run()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #encode(value: T): Encoded {
    const encoded = this.#view.codec.encode(value)
    const { data, flags } = encoded
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      throw new CodecError(`the codec made ${inspect(data)} of the value, neither text nor bytes`)
    }
    if (flags >>> 0 !== flags) throw new CodecError(`the codec gave the flags ${inspect(flags)}, not 32 bits`)
    return encoded
  }

  #exptime(ttl: Ttl | undefined, capMs?: number): number {
    const now = Date.now()
    const chosen = ttl ?? this.#view.ttl
    if (chosen === undefined && capMs === undefined) return 0
    return exptimeOf(capMs === undefined ? chosen : new Date(now + Math.min(capMs, remainingMs(chosen, now))), now)
  }

  #policy(options: ReadOptions): Policy {
    return options.policy === undefined ? this.#view.policy : policyOf(options.policy, this.#fleet.gutter)
  }

  #left<O extends CallOptions>(options: O, started: number): O {
    const deadlineMs = options.deadlineMs ?? this.#view.deadlineMs
    return { ...options, deadlineMs: Math.max(0, deadlineMs - (performance.now() - started)) }
  }

  #fullKey(key: Key): Key {
    const { prefix } = this.#view
    if (prefix === '') return key
    return typeof key === 'string' ? prefix + key : Buffer.concat([Buffer.from(prefix), key])
  }
}

/** The server cannot be reached, or cannot be heard: for a read both are the same. */
function isAway(error: unknown): boolean {
  return isUnsent(error) || error instanceof DeadlineExceededError || error instanceof ConnectionLostError
}

/** The server cannot be reached, and has not heard of the request. */
function isUnsent(error: unknown): boolean {
  return error instanceof ServerUnavailableError || (error instanceof DeadlineExceededError && !error.sent)
}

/** A number from 0 to 2^64 − 1. */
function u64(value: unknown, name: string): bigint {
  const number = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof number === 'bigint' && number >= 0n && number < U64) return number
  throw new InvalidArgumentError(`${name} is a whole number from 0 to 2^64 - 1, not ${inspect(value)}`)
}
