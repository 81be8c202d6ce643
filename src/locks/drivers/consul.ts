/**
 * Locks on Consul, over its HTTP API. Experimental: tested with a model of it, not with the real one. A lock is a key that a session
 * holds, and the index that created the key is the fence. Every extension hands the key to a session that is new, in one transaction: to
 * renew a session is answered by a leader without asking the others, also by one that has been replaced.
 */
import { type Span, spanMs } from '../../time/index.js'
import type { Call, Claim, ClaimResult, Facts, Found, Lease, LockDriver, Version } from '../driver.js'
import { LockArgumentError, OutcomeUnknownError } from '../errors.js'
import { checkKeys } from '../settings.js'
import { ConsulApi, type Entry, type Operation } from './consul/api.js'
import { ConsulRegisters } from './consul/registers.js'
import { readVersion, versionOf } from './entry-version.js'
import { Endpoints, type TlsOptions } from './http/endpoints.js'
import { lifeMs } from './life.js'
import { decodeRecord, encodeRecord, FOREIGN } from './record.js'
import { isRegister } from './register.js'

export interface ConsulOptions {
  /** Of agents of one data center, any number: `http://localhost:8500`, which is the default. */
  endpoints?: string | readonly string[]
  /** Where access control is on: it needs `key:write` below the prefix, and `session:write`. */
  token?: string
  /** For `https` endpoints, as Node has them. */
  tls?: TlsOptions
  /** For so long nobody gets a lock whose holder has died: what it had sent may still arrive. At most 60s. Default 0s. */
  lockDelay?: Span
}

/** Throws LockArgumentError for options that make no sense. */
export function consul(options: ConsulOptions = {}): LockDriver {
  return new ConsulDriver(options)
}

/** For `remake`. */
export default consul

const OPTIONS = { endpoints: 1, token: 1, tls: 1, lockDelay: 1 } satisfies Record<keyof ConsulOptions, 1>
const MOST_DELAY_MS = 60_000

class ConsulDriver implements LockDriver {
  readonly kind = 'consul'
  readonly remake: LockDriver['remake']
  readonly registers: ConsulRegisters
  readonly #endpoints: Endpoints
  readonly #api: ConsulApi
  /** Sessions that are ended behind the callers' backs. */
  readonly #chores = new Set<Promise<unknown>>()

  constructor(options: ConsulOptions) {
    checkKeys(options, OPTIONS)
    const { endpoints = 'http://localhost:8500', token, tls, lockDelay = 0 } = options
    const delayMs = spanMs(lockDelay)
    if (delayMs === undefined || delayMs < 0 || delayMs > MOST_DELAY_MS)
      throw new LockArgumentError("lockDelay is a span of at most a minute, such as '15s'")
    this.#endpoints = new Endpoints(endpoints, tls)
    this.#api = new ConsulApi(this.#endpoints, token, delayMs)
    this.registers = new ConsulRegisters(this.#api)
    this.remake = { module: import.meta.url, options }
  }

  async claim(claim: Claim, call: Call): Promise<ClaimResult> {
    const { key, name, holder, ttlMs, guarantee } = claim
    const before = await this.find(key, call)
    if (before !== undefined) return { status: 'busy', found: before, queued: false }
    const from = call.clock.now()
    const session = await this.#api.begin(lifeMs(ttlMs), name, call)
    const record = encodeRecord(holder, guarantee === 'fenced' ? 'token' : 'none')
    const entry = await this.#inSession(session, [{ Verb: 'check-not-exists', Key: key }], key, record, name, call)
    if (entry === undefined) return { status: 'busy', found: undefined, queued: false }
    const fence = guarantee === 'fenced' ? entry.createIndex : undefined
    const version = versionOf(session, entry.modifyIndex)
    return { status: 'held', lease: { key, name, holder, guarantee, fence, version, from, granularityMs: 0 } }
  }

  async extend(lease: Lease, ttlMs: number, call: Call): Promise<Lease | undefined> {
    const { key, name, holder, fence, version } = lease
    call.signal?.throwIfAborted()
    const { entry: old, revision } = readVersion(version)
    // Nobody's: whoever has put it there is no lock.
    if (old === '') return undefined
    const from = call.clock.now()
    const session = await this.#api.begin(lifeMs(ttlMs), name, call)
    const record = encodeRecord(holder, fence ?? 'none')
    const handing: Operation[] = [
      { Verb: 'check-index', Key: key, Index: Number(revision) },
      { Verb: 'unlock', Key: key, Value: base64(record), Session: old },
    ]
    const entry = await this.#inSession(session, handing, key, record, name, call)
    if (entry === undefined) return undefined
    this.#end(old, name, call)
    return { ...lease, version: versionOf(session, entry.modifyIndex), from, granularityMs: 0 }
  }

  async release(key: string, version: Version, call: Call): Promise<boolean> {
    call.signal?.throwIfAborted()
    const { entry: session, revision } = readVersion(version)
    const removing: Operation[] = [{ Verb: 'delete-cas', Key: key, Index: Number(revision) }]
    const checking: Operation[] = [{ Verb: 'check-index', Key: key, Index: Number(revision) }]
    const isDone = (await this.#api.change([...checking, ...removing], key, call)) !== undefined
    if (isDone) this.#end(session, key, call)
    return isDone
  }

  async find(key: string, call: Call): Promise<Found | undefined> {
    call.signal?.throwIfAborted()
    const [entry] = await this.#api.read({ Verb: 'get', Key: key }, key, call)
    return entry && foundOf(entry)
  }

  async *list(keyPrefix: string, call: Call): AsyncGenerator<Found> {
    call.signal?.throwIfAborted()
    for (const entry of await this.#api.read({ Verb: 'get-tree', Key: keyPrefix }, keyPrefix, call)) {
      if (!isRegister(entry.key)) yield foundOf(entry)
    }
  }

  async facts(key: string, call: Call): Promise<Facts> {
    const { version, where } = await this.#api.version(key, call)
    return {
      what: `Consul ${version} at ${where}, experimental`,
      evicts: false,
      survivesRestart: true,
      durable: true,
      granularityMs: 0,
      queues: false,
      replicas: 'majority',
      remote: true,
      notes: [
        'After a crash a lock is free within twice its lease, which counts as 10 s at least, and lockDelay.',
        'A session ends early when its agent is taken out of the catalog.',
        'A data center that is restored from a snapshot has forgotten the locks that were given since, and its fences go back.',
      ],
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#chores, this.registers.settled()])
    this.#endpoints.close()
  }

  /** The key, then held by the session; undefined when a condition does not hold. The session does not stay for nothing. */
  async #inSession(
    session: string,
    before: readonly Operation[],
    key: string,
    record: string,
    name: string,
    call: Call,
  ): Promise<Entry | undefined> {
    const lock: Operation = { Verb: 'lock', Key: key, Value: base64(record), Session: session }
    let entries: readonly Entry[] | undefined
    try {
      call.signal?.throwIfAborted()
      entries = await this.#api.change([...before, lock], name, call)
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) this.#end(session, name, call)
      throw error
    }
    if (entries === undefined) this.#end(session, name, call)
    return entries?.at(-1)
  }

  /** One that cannot be ended ends by itself. */
  #end(session: string, lock: string, call: Call): void {
    if (session === '') return
    const chore = this.#api.end(session, lock, call).catch(() => {})
    this.#chores.add(chore)
    void chore.then(() => this.#chores.delete(chore))
  }
}

function foundOf({ key, value, session, createIndex, modifyIndex }: Entry): Found {
  const { holder, fence } = decodeRecord(value) ?? FOREIGN
  return {
    key,
    holder,
    fence: fence === 'token' ? createIndex : fence === 'none' ? undefined : fence,
    version: versionOf(session, modifyIndex),
    leftMs: undefined,
    waiters: undefined,
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
