/**
 * What Consul does with sessions and keys, as far as locks need it, after its documentation: no real one can be had for the tests.
 * https://developer.hashicorp.com/consul/docs/automate/session
 */
import { randomUUID } from 'node:crypto'

/** It ends a session at the latest after twice its time to live, and not before once. */
const LATE = 1.5

export interface KeyValue {
  Key: string
  Value: string
  Flags: number
  LockIndex: number
  CreateIndex: number
  ModifyIndex: number
  Session?: string | undefined
}

export interface Operation {
  Verb: string
  Key: string
  Value?: string
  Session?: string
  Index?: number
}

interface Session {
  readonly lockDelayMs: number
  readonly behavior: string
  readonly timer: NodeJS.Timeout
}

/** Thrown by an operation of a transaction that fails. */
export class Failed extends Error {}

export class ConsulModel {
  readonly #leastMs: number
  readonly #sessions = new Map<string, Session>()
  readonly #keys = new Map<string, KeyValue>()
  /** Until when nobody may lock a key. */
  readonly #delayed = new Map<string, number>()
  #index = 10

  constructor(leastMs: number) {
    this.#leastMs = leastMs
  }

  get sessions(): number {
    return this.#sessions.size
  }

  /** Throws for a time to live that is too short. */
  begin({
    TTL,
    LockDelay = '15s',
    Behavior = 'release',
  }: {
    TTL: string
    LockDelay?: string
    Behavior?: string
  }): string {
    const ttlMs = msOf(TTL)
    if (ttlMs < this.#leastMs || ttlMs > 86_400_000)
      throw new Error(`Invalid Session TTL '${ttlMs * 1e6}', must be between [10s=24h0m0s]`)
    const id = randomUUID()
    const timer = setTimeout(() => this.end(id), ttlMs * LATE)
    this.#sessions.set(id, { lockDelayMs: msOf(LockDelay), behavior: Behavior, timer })
    this.#index++
    return id
  }

  end(id: string): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    clearTimeout(session.timer)
    this.#sessions.delete(id)
    this.#index++
    for (const [key, entry] of this.#keys) {
      if (entry.Session !== id) continue
      if (session.lockDelayMs > 0) this.#delayed.set(key, performance.now() + session.lockDelayMs)
      if (session.behavior === 'delete') this.#keys.delete(key)
      else this.#keys.set(key, { ...entry, Session: undefined, ModifyIndex: this.#index })
    }
  }

  /** All or nothing. Throws Failed. */
  transact(operations: readonly Operation[]): KeyValue[] {
    const before = new Map(this.#keys)
    this.#index++
    try {
      return operations.flatMap((operation) => this.#do(operation))
    } catch (error) {
      this.#keys.clear()
      for (const [key, entry] of before) this.#keys.set(key, entry)
      throw error
    }
  }

  #do({ Verb, Key, Value = '', Session, Index }: Operation): KeyValue[] {
    const entry = this.#keys.get(Key)
    switch (Verb) {
      case 'get':
        return [entry ?? fail(`key "${Key}" doesn't exist`)]
      case 'get-tree':
        return [...this.#keys.values()].filter((each) => each.Key.startsWith(Key))
      case 'check-not-exists':
        return entry === undefined ? [] : fail(`key "${Key}" exists`)
      case 'check-index':
        return entry?.ModifyIndex === Index ? [] : fail('current modify index does not match')
      case 'lock':
        return [this.#lock(Key, Value, Session ?? '', entry)]
      case 'unlock':
        if (entry === undefined || entry.Session !== Session) return fail('lock is held by another session')
        return [this.#put({ ...entry, Value, Session: undefined })]
      case 'set':
        return [this.#put({ ...(entry ?? this.#made(Key)), Value })]
      case 'delete':
        this.#keys.delete(Key)
        return []
      case 'delete-cas':
        if (entry !== undefined && entry.ModifyIndex !== Index) return fail('index is stale')
        this.#keys.delete(Key)
        return []
      default:
        return fail(`unknown verb ${Verb}`)
    }
  }

  #lock(key: string, value: string, session: string, entry: KeyValue | undefined): KeyValue {
    if (!this.#sessions.has(session)) return fail(`invalid session "${session}"`)
    if ((this.#delayed.get(key) ?? 0) > performance.now()) return fail('due to lock delay')
    if (entry?.Session !== undefined && entry.Session !== session) return fail('lock is already held')
    const { LockIndex, ...rest } = entry ?? this.#made(key)
    return this.#put({
      ...rest,
      LockIndex: entry?.Session === session ? LockIndex : LockIndex + 1,
      Value: value,
      Session: session,
    })
  }

  #made(key: string): KeyValue {
    return { Key: key, Value: '', Flags: 0, LockIndex: 0, CreateIndex: this.#index, ModifyIndex: this.#index }
  }

  #put(entry: KeyValue): KeyValue {
    const put = { ...entry, ModifyIndex: this.#index }
    this.#keys.set(put.Key, put)
    return put
  }
}

function fail(what: string): never {
  throw new Failed(what)
}

function msOf(text: string): number {
  const [, number, unit] = /^(\d+)(ms|s|m)$/.exec(text)!
  return Number(number) * { ms: 1, s: 1000, m: 60_000 }[unit as 'ms']
}
