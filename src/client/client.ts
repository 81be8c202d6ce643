/** The client as its users see it: every method checks what it is given and makes one exchange of it. */
import { performance } from 'node:perf_hooks'
import { inspect } from 'node:util'
import { parseServers } from './address.js'
import type { Codec, Encoded } from './codec.js'
import { text } from './codecs/index.js'
import { PYTHON_TEXT } from './codecs/text.js'
import { Flush, OpenSession, Stats, Version } from './commands/admin.js'
import { FencedRemove, FencedSet } from './commands/fenced.js'
import { Get, Gets, GetsForUpdate } from './commands/get.js'
import { Meta } from './commands/meta.js'
import { Remove } from './commands/remove.js'
import { CompareAndSwap, Store, type StoreMode } from './commands/store.js'
import { Touch } from './commands/touch.js'
import { count, type Direction } from './count.js'
import { checkSignal, Dispatch, isAway, isUnsent, rejecting } from './dispatch.js'
import { CodecError, DeadlineExceededError, InvalidArgumentError } from './errors.js'
import type { Exchange } from './exchange.js'
import { type FetchPlan, fetch } from './fetch.js'
import { Fleet } from './fleet.js'
import { type WireKey, wireKey } from './key.js'
import { keys } from './keys.js'
import { within } from './patience.js'
import {
  checkCallOptions,
  checkClientOptions,
  checkViewOptions,
  codecOf,
  deadlineOf,
  gutterOf,
  linkSettings,
  policyOf,
  prefixOf,
  wireSeconds,
} from './settings.js'
import { exptimeOf, milliseconds, remainingMs, type Span, type Ttl } from './ttl.js'
import type {
  CallOptions,
  CasOptions,
  CasOutcome,
  ClientOptions,
  CounterOptions,
  DeleteOptions,
  FetchOptions,
  FlushOptions,
  FormOptions,
  Key,
  KeysOptions,
  ListedKey,
  MetaCommand,
  MetaReply,
  ReadOptions,
  Session,
  SetOptions,
  UpdateOptions,
  Versioned,
  ViewOptions,
  WriteOptions,
} from './types.js'
import { type Change, update } from './update.js'

const U64 = 2n ** 64n
/** One more than a fence can be. */
const U63 = 2n ** 63n
const DEADLINE_MS = 1000
const LEASE: Span = '10s'
const NONE: Readonly<Record<never, never>> = Object.freeze({})

/**
 * A client of one memcached server or several, which connects with its first call. Without `servers`, that is
 * 127.0.0.1:11211. Throws InvalidArgumentError for options that make no sense.
 */
export function createClient<T>(options: ClientOptions<T> & { codec: Codec<T> }): Client<T>
export function createClient(options?: ClientOptions<string>): Client<string>
export function createClient<T>(options: ClientOptions<T> = {}): Client<T> {
  checkClientOptions(options)
  exptimeOf(options.ttl, Date.now())
  const gutter = gutterOf(options.gutter)
  const codec = codecOf(options.codec ?? (text() as Codec<unknown> as Codec<T>))
  const fleet = Fleet.of(parseServers(options.servers), options.distribution, gutter, linkSettings(options))
  const dispatch = new Dispatch(fleet, {
    deadlineMs: deadlineOf(options.deadlineMs ?? DEADLINE_MS),
    prefix: prefixOf(options.keyPrefix ?? ''),
    policy: policyOf(options.policy ?? 'fail', gutter),
  })
  return new Client(dispatch, codec, options.ttl)
}

/**
 * Every call settles within its deadline, by default a second. A miss is `undefined` or false; whatever else went wrong
 * rejects with one of the errors of this module, or with the reason of the signal.
 */
export class Client<T> implements AsyncDisposable {
  readonly #dispatch: Dispatch
  readonly #codec: Codec<T>
  readonly #ttl: Ttl | undefined

  /** @internal Use `createClient`. */
  constructor(dispatch: Dispatch, codec: Codec<T>, ttl: Ttl | undefined) {
    this.#dispatch = dispatch
    this.#codec = codec
    this.#ttl = ttl
  }

  /** The same servers and connections with another codec, ttl, deadline or key prefix. */
  with<U>(changes: ViewOptions<U> & { codec: Codec<U> }): Client<U>
  with(changes: ViewOptions<T>): Client<T>
  with<U>(changes: ViewOptions<U>): Client<U> {
    checkViewOptions(changes)
    exptimeOf(changes.ttl, Date.now())
    const { fleet, defaults } = this.#dispatch
    const dispatch = new Dispatch(fleet, {
      deadlineMs: deadlineOf(changes.deadlineMs ?? defaults.deadlineMs),
      prefix: prefixOf(changes.keyPrefix ?? defaults.prefix),
      policy: defaults.policy,
    })
    const codec = codecOf(changes.codec ?? (this.#codec as Codec<unknown> as Codec<U>))
    return new Client(dispatch, codec, changes.ttl ?? this.#ttl)
  }

  /** The value, or undefined for a miss. */
  get(key: Key, options: ReadOptions = NONE): Promise<T | undefined> {
    return this.#dispatch.routed(key, options, (wire) => new Get(wire, this.#codec), undefined, isAway)
  }

  /** The value with the token for `cas` and `delete`. */
  gets(key: Key, options: CallOptions = NONE): Promise<Versioned<T> | undefined> {
    return this.#dispatch.keyed(key, options, (wire) => new Gets(wire, this.#codec))
  }

  /** The values that are there, by the keys given, in no particular order: one batch a server. */
  getMany(keys: Iterable<string>, options?: ReadOptions): Promise<Map<string, T>>
  getMany(keys: Iterable<Key>, options?: ReadOptions): Promise<Map<Key, T>>
  getMany(keys: Iterable<Key>, options: ReadOptions = NONE): Promise<Map<Key, T>> {
    return this.#dispatch.getMany(keys, options, this.#codec)
  }

  /** The value, which from now on lives for `ttl`. */
  gat(key: Key, ttl: Ttl, options: ReadOptions = NONE): Promise<T | undefined> {
    const make = (wire: WireKey, capMs?: number) => new Get(wire, this.#codec, this.#exptime(ttl, capMs))
    return this.#dispatch.routed(key, options, make, undefined, isAway)
  }

  /**
   * True when stored; false only under the policy `miss`, when the server could not be reached. With `fence` it goes to
   * the key's own server or fails, and rejects with StaleFenceError when a greater fence has written this key.
   */
  set(key: Key, value: T, options: SetOptions = NONE): Promise<boolean> {
    return rejecting(() => {
      if (isFenced(options)) return this.#setFenced(key, value, options)
      const encoded = this.#encode(value, options)
      const make = (wire: WireKey, capMs?: number) =>
        quietly(new Store('set', wire, encoded, this.#exptime(options.ttl, capMs)), options)
      return this.#dispatch.routed(key, options, make, false, isUnsent)
    })
  }

  /** Only where nothing is: false when there is an item. */
  add(key: Key, value: T, options: WriteOptions & FormOptions = NONE): Promise<boolean> {
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
    return rejecting(() => {
      const encoded = this.#encode(value, NONE)
      const exptime = this.#exptime(options.ttl)
      return this.#dispatch.keyed(key, options, (wire) =>
        formed(new CompareAndSwap(wire, encoded, exptime, u64(token, 'token')), options),
      )
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

  /**
   * True when there was an item, which with `cas` still had that token. With `fence` it rejects with StaleFenceError when
   * a greater fence has written this key.
   */
  delete(key: Key, options: DeleteOptions = NONE): Promise<boolean> {
    if (isFenced(options)) return rejecting(() => this.#deleteFenced(key, options))
    const { cas } = options
    const make = (wire: WireKey) => quietly(new Remove(wire, cas === undefined ? undefined : u64(cas, 'cas')), options)
    return this.#dispatch.keyed(key, options, make)
  }

  /** Lets the item live for `ttl` from now on; false when there is none. */
  touch(key: Key, ttl: Ttl, options: CallOptions = NONE): Promise<boolean> {
    return this.#dispatch.keyed(key, options, (wire) => new Touch(wire, this.#exptime(ttl)))
  }

  /**
   * Reads, changes and writes back until nobody has interfered, and returns the value that holds then. `change` gets
   * undefined for a missing item, may be called several times, and changes nothing by returning undefined.
   * Rejects with UpdateConflictError when others were faster until the deadline. When an answer is lost it is not
   * known whether the change was made, and the error says so: it is not made a second time.
   */
  update(key: Key, change: (current: T | undefined) => T | Promise<T>, options?: UpdateOptions): Promise<T>
  update(key: Key, change: Change<T>, options?: UpdateOptions): Promise<T | undefined>
  update(key: Key, change: Change<T>, options: UpdateOptions = NONE): Promise<T | undefined> {
    return rejecting(() => {
      checkCallOptions(options)
      checkSignal(options.signal)
      this.#exptime(options.ttl)
      const look = (call: CallOptions) =>
        this.#dispatch.keyed(key, call, (wire) => new GetsForUpdate(wire, this.#codec))
      return update({ client: this, key, change, look, options, until: this.#dispatch.until(options) })
    })
  }

  /**
   * The value, or else what `compute` returns, which is stored for `ttl`. Of all callers in all processes one computes
   * and the others wait for it, or with `stale` take the old value meanwhile. What is thrown by `compute` rejects the
   * call and lets the next caller try. `deadlineMs` bounds the whole call; by default only each step of the cache is
   * bounded. On servers without meta commands it is computed once in each process.
   */
  fetch(key: Key, ttl: Ttl | undefined, compute: () => T | Promise<T>, options: FetchOptions = NONE): Promise<T> {
    return rejecting(() => {
      checkCallOptions(options)
      this.#exptime(ttl)
      const { text: name, base64 } = wireKey(key, this.#dispatch.defaults.prefix)
      const { winners, computations } = this.#dispatch.fleet
      const { stale = 0, lease = LEASE, deadlineMs, signal } = options
      checkSignal(signal)
      const until = deadlineMs === undefined ? undefined : performance.now() + deadlineOf(deadlineMs)
      const late = () => new DeadlineExceededError(this.serverOf(key), deadlineMs!, true)
      const plan: FetchPlan<T> = {
        client: this,
        key,
        id: base64 ? `b ${name}` : name,
        ttl: ttl ?? this.#ttl,
        staleSeconds: milliseconds(stale) === 0 ? 0 : wireSeconds(stale, 'stale'),
        leaseSeconds: wireSeconds(lease, 'lease'),
        compute,
        codec: this.#codec,
        winners,
        computations,
        doesWithout: this.#dispatch.policy(options) === 'fail' ? () => false : isAway,
        wait: (result) =>
          within(result, {
            ms: until === undefined ? undefined : Math.max(0, until - performance.now()),
            signal,
            late,
          }),
      }
      return plan.wait(fetch(plan))
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
    return this.#dispatch.keyed(key, options, (wire) => new Meta(command, wire, flags, value))
  }

  /** Makes everything on all servers expire, at once or after `delay`. */
  async flush(options: FlushOptions = NONE): Promise<void> {
    const { delay = 0 } = options
    const seconds = milliseconds(delay) === 0 ? 0 : wireSeconds(delay, 'delay')
    await this.#dispatch.everywhere(options, () => new Flush(seconds))
  }

  /** The statistics of every server, by its name. `group`: settings, items, slabs, sizes, conns, … */
  async stats(group = '', options: CallOptions = NONE): Promise<Map<string, Record<string, string>>> {
    if (!/^[a-z]*$/.test(group)) throw new InvalidArgumentError(`${inspect(group)} is no group of statistics`)
    return this.#dispatch.everywhere(options, () => new Stats(group))
  }

  /** The version of every server, by its name. */
  version(options: CallOptions = NONE): Promise<Map<string, string>> {
    return this.#dispatch.everywhere(options, () => new Version())
  }

  /**
   * The connection on which requests for this key go out now, connecting if there is none: for calls that are true only of the
   * server process that has been asked something before (`session` in their options). Sends nothing itself.
   */
  session(key: Key, options: CallOptions = NONE): Promise<Session> {
    return this.#dispatch.keyed(key, options, () => new OpenSession())
  }

  /** As `session`, where there is a connection already; else undefined. */
  currentSession(key: Key): Session | undefined {
    return this.#dispatch.currentSession(key)
  }

  /**
   * Lists what the servers have, one after the other, over connections of its own. Not a snapshot: what changes meanwhile may be
   * missing. It makes a server look at every item, and is for people and for tools. `deadlineMs` is for each server, and by
   * default a minute. Rejects with TooManyKeysError above `limit`, and with ServerError or RequestRefusedError where a server
   * is busy with another such list, or allows none.
   */
  keys(options: KeysOptions = NONE): AsyncGenerator<ListedKey> {
    return keys(this.#dispatch.fleet, this.#dispatch.defaults, options)
  }

  /** The same servers, options and codec over connections of its own. */
  duplicate(): Client<T> {
    return new Client(new Dispatch(this.#dispatch.fleet.duplicate(), this.#dispatch.defaults), this.#codec, this.#ttl)
  }

  /** The name of the server that this key belongs to. */
  serverOf(key: Key): string {
    return this.#dispatch.serverOf(key)
  }

  /** Waits for what is under way, each until its deadline, and ends the connections: of all views. */
  close(): Promise<void> {
    return this.#dispatch.fleet.close()
  }

  /**
   * Closes, of all views, by telling the servers at once that nothing more will come (FIN). What is under way settles by what
   * they still say within `stallMs`, or else rejects with ConnectionLostError. What has not been sent rejects with ClientClosedError.
   */
  hangUp(): Promise<void> {
    return this.#dispatch.fleet.hangUp()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** To the key's own server only: a spare one knows nothing of its fences. */
  #setFenced(key: Key, value: T, { fence, ...options }: SetOptions): Promise<boolean> {
    const encoded = this.#encode(value, options)
    const exptime = this.#exptime(options.ttl)
    const number = fenceOf(fence)
    return this.#dispatch.keyed(key, options, (wire) => quietly(new FencedSet(wire, encoded, exptime, number), options))
  }

  #deleteFenced(key: Key, { fence, cas, ...options }: DeleteOptions): Promise<boolean> {
    if (cas !== undefined) throw new InvalidArgumentError('delete takes cas or fence, not both')
    const number = fenceOf(fence)
    return this.#dispatch.keyed(key, options, (wire) => quietly(new FencedRemove(wire, number), options))
  }

  #store(mode: StoreMode, key: Key, value: T, options: WriteOptions & FormOptions): Promise<boolean> {
    return rejecting(() => {
      const encoded = this.#encode(value, options)
      if ((mode === 'append' || mode === 'prepend') && !isPlain(encoded)) {
        throw new CodecError(
          `${mode} is for plain text and bytes: of what the codec makes of this, the ends do not fit`,
        )
      }
      const exptime = this.#exptime(options.ttl)
      return this.#dispatch.keyed(key, options, (wire) =>
        quietly(formed(new Store(mode, wire, encoded, exptime), options), options),
      )
    })
  }

  #count(direction: Direction, key: Key, delta: number | bigint, options: CounterOptions): Promise<bigint | undefined> {
    return rejecting(() => {
      const { initial } = options
      const vivify =
        initial === undefined ? undefined : { initial: u64(initial, 'initial'), exptime: this.#exptime(options.ttl) }
      return count(this.#dispatch, direction, key, u64(delta, 'delta'), vivify, options)
    })
  }

  /** What the codec makes of the value; a codec of the user's may be wrong. */
  #encode(value: T, { noreply = false }: WriteOptions): Encoded {
    const encoded = this.#codec.encode(value)
    const { data, flags } = encoded
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      throw new CodecError(`the codec made ${inspect(data)} of the value, neither text nor bytes`)
    }
    if (flags >>> 0 !== flags) throw new CodecError(`the codec gave the flags ${inspect(flags)}, not 32 bits`)
    // Who does not wait for the reply does not know how long the bytes are still needed.
    return noreply && typeof data !== 'string' ? { data: Uint8Array.from(data), flags } : encoded
  }

  /** `capMs` is the longest life that is allowed. */
  #exptime(ttl: Ttl | undefined, capMs?: number): number {
    const chosen = ttl ?? this.#ttl
    if (chosen === undefined && capMs === undefined) return 0
    const now = Date.now()
    return exptimeOf(capMs === undefined ? chosen : new Date(now + Math.min(capMs, remainingMs(chosen, now))), now)
  }
}

function quietly(exchange: Exchange<boolean>, { noreply }: WriteOptions): Exchange<boolean> {
  exchange.awaitsReply = noreply !== true
  return exchange
}

function formed<W extends { classic: boolean }>(write: W, { classic }: FormOptions): W {
  write.classic = classic === true
  return write
}

/** Nothing but the text or bytes themselves; 16 is how Python's clients mark text. */
function isPlain({ flags }: Encoded): boolean {
  return flags === 0 || flags === PYTHON_TEXT
}

/** Also with `fence: undefined`: who gives the fence of a lock that has none must not write unguarded. */
function isFenced(options: SetOptions | DeleteOptions): boolean {
  return typeof options === 'object' && options !== null && 'fence' in options
}

function fenceOf(fence: unknown): bigint {
  if (typeof fence === 'bigint' && fence > 0n && fence < U63) return fence
  throw new InvalidArgumentError(
    `fence is a bigint from 1 to 2^63 - 1, not ${inspect(fence)}: only a lock with the guarantee fenced has one`,
  )
}

/** A number from 0 to 2^64 − 1. */
function u64(value: unknown, name: string): bigint {
  const number = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof number === 'bigint' && number >= 0n && number < U64) return number
  throw new InvalidArgumentError(`${name} is a whole number from 0 to 2^64 - 1, not ${inspect(value)}`)
}
