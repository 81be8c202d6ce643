/**
 * Registers as keys of Consul, changed on condition of their index, which never comes again. Nothing ends there by itself: each has its
 * end in front, by the clock of its writer, and is over when no clock can be so wrong.
 */
import type { Call, Registered, Registers, Version } from '../../driver.js'
import { Leftovers } from '../leftovers.js'
import { checkRegister, REGISTER_PREFIX } from '../register.js'
import type { ConsulApi, Entry, Operation } from './api.js'

/** By how much clocks of two machines may differ. */
const CLOCK_SKEW_MS = 60_000

export class ConsulRegisters implements Registers {
  readonly #api: ConsulApi
  readonly #leftovers = new Leftovers(
    (call) => this.#keys(call),
    (key, call) => this.#removeIfOver(key, call),
  )

  constructor(api: ConsulApi) {
    this.#api = api
  }

  async read(key: string, call: Call): Promise<Registered | undefined> {
    const entry = await this.#entryAt(key, call)
    return entry && !isOver(entry) ? { value: valueIn(entry), version: entry.modifyIndex } : undefined
  }

  async swap(
    key: string,
    value: string,
    before: Version | undefined,
    ttlMs: number,
    call: Call,
  ): Promise<Version | undefined> {
    checkRegister(key, value, ttlMs)
    const found = before === undefined ? await this.#entryAt(key, call) : undefined
    if (found !== undefined && !isOver(found)) return undefined
    call.signal?.throwIfAborted()
    const index = before ?? found?.modifyIndex
    const check = index === undefined ? isAbsent(key) : isUnchanged(key, BigInt(index))
    const entries = await this.#api.change([check, put(key, value, ttlMs)], key, call)
    if (entries !== undefined && index === undefined) this.#leftovers.oneMore(call)
    return entries?.at(-1)?.modifyIndex
  }

  settled(): Promise<void> {
    return this.#leftovers.settled()
  }

  async #entryAt(key: string, call: Call): Promise<Entry | undefined> {
    call.signal?.throwIfAborted()
    const [entry] = await this.#api.read({ Verb: 'get', Key: REGISTER_PREFIX + key }, key, call)
    return entry
  }

  async #keys(call: Call): Promise<string[]> {
    const entries = await this.#api.read({ Verb: 'get-tree', Key: REGISTER_PREFIX }, REGISTER_PREFIX, call)
    return entries.map(({ key }) => key.slice(REGISTER_PREFIX.length))
  }

  async #removeIfOver(key: string, call: Call): Promise<void> {
    const entry = await this.#entryAt(key, call)
    if (entry === undefined || !isOver(entry)) return
    const removing: Operation = { Verb: 'delete-cas', Key: entry.key, Index: Number(entry.modifyIndex) }
    await this.#api.change([isUnchanged(key, entry.modifyIndex), removing], key, call)
  }
}

function put(key: string, value: string, ttlMs: number): Operation {
  const text = `${Date.now() + Math.ceil(ttlMs)} ${value}`
  return { Verb: 'set', Key: REGISTER_PREFIX + key, Value: Buffer.from(text).toString('base64') }
}

function isAbsent(key: string): Operation {
  return { Verb: 'check-not-exists', Key: REGISTER_PREFIX + key }
}

function isUnchanged(key: string, index: bigint): Operation {
  return { Verb: 'check-index', Key: REGISTER_PREFIX + key, Index: Number(index) }
}

/** What somebody else has put there is never over. */
function isOver({ value }: Entry): boolean {
  const [, end] = /^(\d+) /.exec(value.toString()) ?? []
  return end !== undefined && Number(end) + CLOCK_SKEW_MS < Date.now()
}

function valueIn({ value }: Entry): string {
  return value.toString().replace(/^\d+ /, '')
}
