/** One client's operations in an epoch: random ones, each answer checked by itself and kept for its key's history. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, ConnectionLostError, DeadlineExceededError, ServerUnavailableError } from 'latchkey/client'
import type { Kind, Operation } from '../../client/faults/history.js'
import { isUnsent } from '../../client/faults/recorder.js'
import type { Random } from '../../fuzz/random.js'
import type { GroupFigures, Told } from './group.js'

const FILLERS = 4000
const FILLER_BYTES = 6000
const FILLER_TTL_S = 2
const PAUSE_MS = 12
let serial = 0

export interface SessionParts {
  readonly client: Client<string>
  readonly keys: readonly string[]
  readonly told: Told
  readonly tick: () => number
  readonly random: Random
  readonly figures: GroupFigures
}

export class Session {
  readonly #with: SessionParts

  constructor(parts: SessionParts) {
    this.#with = parts
  }

  /** Mostly one after the other; now and then some at once, on one connection. */
  async run(operations: number, untilMs: number): Promise<void> {
    const { random } = this.#with
    for (let left = operations; left > 0 && performance.now() < untilMs; ) {
      const atOnce = Math.min(left, random.chance(25) ? 1 + random.below(6) : 1)
      left -= atOnce
      await Promise.all(Array.from({ length: atOnce }, () => this.#act()))
      await sleep(random.below(PAUSE_MS))
    }
  }

  #act(): Promise<void> {
    const { random, keys, client } = this.#with
    const key = random.pick(keys)
    const lot = random.below(100)
    if (lot < 20) return this.#fill()
    if (lot < 40) return this.#get(key, () => client.get(key))
    if (lot < 44) return this.#get(key, () => client.gat(key, '2h'))
    if (lot < 62) return this.#store(random.pick(['set', 'set', 'set', 'add', 'replace'] as const), key)
    if (lot < 80) return this.#swap(key, random.chance(25))
    if (lot < 90) return this.#settle(key, 'delete', {}, () => client.delete(key))
    return this.#settle(key, 'touch', {}, () => client.touch(key, '2h'))
  }

  /** Items of many, so that there is not room for all. Nobody's history has them, but each is whole and its own. */
  async #fill(): Promise<void> {
    const { random, client } = this.#with
    const key = `filler:${random.below(FILLERS)}`
    const options = random.chance(20) ? { ttl: FILLER_TTL_S } : {}
    const value = `${key}#${'f'.repeat(random.below(FILLER_BYTES))}#`
    if (random.chance(60)) await this.#call(() => client.set(key, value, options))
    else {
      const found = await this.#call(() => client.get(key))
      const text = found.answer
      if (text !== undefined && !/^(filler:\d+)#f*#$/.test(text)) this.#complain(`${key} is torn: ${text.slice(0, 60)}`)
      if (text !== undefined) this.#checkOwn(key, text)
    }
  }

  async #get(key: string, ask: () => Promise<string | undefined>): Promise<void> {
    const got = await this.#call(ask)
    if (got.error !== undefined) return
    if (got.answer !== undefined) this.#checkOwn(key, got.answer)
    this.#keep(key, { kind: 'get', start: got.start, end: got.end, outcome: 'done', value: got.answer })
  }

  #store(kind: 'set' | 'add' | 'replace', key: string): Promise<void> {
    const value = this.#fresh(key)
    return this.#settle(key, kind, { value }, () => this.#with.client[kind](key, value))
  }

  /** Reads a token and uses it: to swap, or to delete. */
  async #swap(key: string, remove: boolean): Promise<void> {
    const { client, told } = this.#with
    const before = told.tokens.get(key) ?? 0n
    const got = await this.#call(() => client.gets(key))
    if (got.error !== undefined) return
    const found = got.answer
    this.#keep(key, { kind: 'get', start: got.start, end: got.end, outcome: 'done', value: found?.value })
    if (found === undefined) return
    this.#checkOwn(key, found.value)
    this.#checkToken(key, found.cas, found.value, before)
    const expected = found.value
    if (remove) return this.#settle(key, 'delete', { expected }, () => client.delete(key, { cas: found.cas }))
    const value = this.#fresh(key)
    return this.#settle(key, 'cas', { value, expected }, () => client.cas(key, value, found.cas))
  }

  /** An operation that changes something, or may have. */
  async #settle(
    key: string,
    kind: Kind,
    rest: Partial<Operation>,
    ask: () => Promise<boolean | 'stored' | 'exists' | 'not-found'>,
  ): Promise<void> {
    const got = await this.#call(ask)
    const { start, end, answer, error } = got
    if (error !== undefined) {
      if (!isUnsent(error)) this.#keep(key, { kind, start, end: Number.POSITIVE_INFINITY, outcome: undefined, ...rest })
      return
    }
    const done = answer === true || answer === 'stored'
    this.#keep(key, { kind, start, end, outcome: done ? 'done' : 'refused', exists: answer === 'exists', ...rest })
  }

  async #call<R>(ask: () => Promise<R>): Promise<{ start: number; end: number; answer?: R; error?: unknown }> {
    const { tick, figures } = this.#with
    const start = tick()
    try {
      const answer = await ask()
      figures.answered++
      return { start, end: tick(), answer }
    } catch (error) {
      if (isUnsent(error)) figures.unsent++
      else figures.unknown++
      if (!isExpected(error)) this.#complain(String(error))
      return { start, end: tick(), error }
    }
  }

  #checkOwn(key: string, value: string): void {
    if (!value.startsWith(`${key}#`)) this.#complain(`${key} holds ${value.slice(0, 60)}`)
  }

  /** Later answers have no older tokens, and a token stands for one value. */
  #checkToken(key: string, cas: bigint, value: string, before: bigint): void {
    const { tokens, values } = this.#with.told
    if (cas < before) this.#complain(`${key}: token ${cas} after ${before}`)
    const name = `${key} ${cas}`
    const known = values.get(name)
    if (known !== undefined && known !== value) this.#complain(`token ${cas} of ${key}: ${known}, then ${value}`)
    values.set(name, value)
    if (cas > (tokens.get(key) ?? 0n)) tokens.set(key, cas)
  }

  #fresh(key: string): string {
    const { random } = this.#with
    return `${key}#${++serial}#${'x'.repeat(random.chance(3) ? 20_000 : random.below(200))}`
  }

  #keep(key: string, operation: Operation): void {
    const { histories } = this.#with.told
    const own = histories.get(key)
    if (own === undefined) histories.set(key, [operation])
    else own.push(operation)
  }

  #complain(what: string): void {
    this.#with.figures.faults.push(what)
  }
}

function isExpected(error: unknown): boolean {
  return (
    error instanceof DeadlineExceededError ||
    error instanceof ConnectionLostError ||
    error instanceof ServerUnavailableError
  )
}
