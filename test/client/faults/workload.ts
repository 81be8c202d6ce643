/** Mixed operations on a few keys, whose values tell whose they are; every answer is checked against its own request. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'latchkey/client'
import type { Random } from '../../fuzz/random.js'
import type { Kind, Operation } from './history.js'
import type { Call, Failure, Recorder } from './recorder.js'

export const valueKeys = ['v0', 'v1', 'v2', 'v3']
const waves = 3
const callsPerWave = 13
const longValue = 20_000

/** What was counted, for keys whose value is made by the server. */
export interface Tally {
  /** Answers, of which no two may be the same. */
  results: bigint[]
  done: number
  unknown: number
}

export interface Parties {
  readonly client: Client<string>
  readonly recorder: Recorder
  readonly random: Random
  /** Of the keys, and part of every value. */
  readonly prefix: string
  readonly deadlineMs: number
  readonly garbled: boolean
  readonly digitsLost: boolean
}

export class Workload {
  readonly counter: Tally = { results: [], done: 0, unknown: 0 }
  readonly updates: Tally = { results: [], done: 0, unknown: 0 }
  readonly appends = { done: [] as number[], unknown: [] as number[] }
  /** Which value a token stood for, by key and token. */
  readonly tokens = new Map<string, string>()
  #serial = 0
  readonly #client: Client<string>
  readonly #with: Parties

  constructor(parties: Parties) {
    this.#with = parties
    this.#client = parties.client
  }

  async run(): Promise<void> {
    const { random } = this.#with
    const pauses = Array.from({ length: waves }, () => random.below(8))
    const started: Promise<void>[] = []
    for (const ms of pauses) {
      for (let i = 0; i < callsPerWave; i++) started.push(this.#one())
      await sleep(ms)
    }
    await Promise.all(started)
  }

  /** The value is one that was made for this key, in this run. */
  checkOwn(key: string, value: string): void {
    const own = `${this.#with.prefix}${key}#`
    assert.ok(value.startsWith(own), `${key} holds ${value.slice(0, 60)}`)
  }

  /** A token stands for one value only. */
  checkToken(key: string, cas: bigint, value: string): void {
    if (this.#with.digitsLost) return
    const name = `${key} ${cas}`
    const known = this.tokens.get(name)
    assert.ok(known === undefined || known === value, `token ${cas} of ${key} stood for ${known}, now for ${value}`)
    this.tokens.set(name, value)
  }

  checkLog(value: string, mustHave: readonly number[]): void {
    const entries = value.split('|').slice(1)
    assert.equal(new Set(entries).size, entries.length, `an append was done twice: ${value}`)
    for (const entry of mustHave) assert.ok(entries.includes(`${entry}`), `append of ${entry} is lost: ${value}`)
    const known = new Set([...this.appends.done, ...this.appends.unknown].map(String))
    for (const entry of entries) assert.ok(known.has(entry), `nobody has appended ${entry}: ${value}`)
  }

  #one(): Promise<void> {
    const { random } = this.#with
    const key = random.pick(valueKeys)
    const lot = random.below(100)
    if (lot < 18) return this.#get(key)
    if (lot < 24) return this.#getMany()
    if (lot < 44) return this.#store(random.pick(['set', 'set', 'set', 'add', 'replace'] as const), key)
    if (lot < 47) return this.#setWithoutReply(key)
    if (lot < 62) return this.#swap(key)
    if (lot < 67) return this.#delete(key)
    if (lot < 72) return this.#touch(key)
    if (lot < 78) return this.#count()
    if (lot < 84) return this.#append()
    if (lot < 86) return this.#readLog()
    if (lot < 91) return this.#update()
    if (lot < 94) return this.#fetch()
    if (lot < 96) return this.#meta(key)
    if (lot < 98) return this.#aborted(key)
    return this.#version()
  }

  #call<R>(
    name: string,
    args: unknown[],
    run: () => Promise<R>,
    answered: (result: R, start: number, end: number) => void,
    failed?: (failure: Failure, start: number) => void,
    abortReason?: unknown,
  ): Promise<void> {
    const call: Call<R> = { name, args, run, deadlineMs: this.#with.deadlineMs, abortReason }
    return this.#with.recorder.call(call, answered, failed)
  }

  #keep(key: string, kind: Kind, start: number, end: number, rest: Partial<Operation>): void {
    this.#with.recorder.keep(key, { kind, start, end, outcome: 'done', ...rest })
  }

  /** Keeps what may have been done. */
  #perhaps(key: string, kind: Kind, rest: Partial<Operation>): (failure: Failure, start: number) => void {
    return (failure, start) => {
      if (failure === 'unknown') this.#keep(key, kind, start, Number.POSITIVE_INFINITY, { ...rest, outcome: undefined })
    }
  }

  #saw(key: string, value: string | undefined, start: number, end: number): void {
    if (value !== undefined) this.checkOwn(key, value)
    this.#keep(key, 'get', start, end, { value })
  }

  #fresh(key: string): string {
    const { random, prefix } = this.#with
    const length = random.chance(3) ? longValue : random.below(60)
    return `${prefix}${key}#${++this.#serial}#${'x'.repeat(length)}`
  }

  #get(key: string): Promise<void> {
    return this.#call(
      'get',
      [key],
      () => this.#client.get(key),
      (value, start, end) => this.#saw(key, value, start, end),
    )
  }

  #getMany(): Promise<void> {
    const keys = [...valueKeys, 'absent']
    return this.#call(
      'getMany',
      keys,
      () => this.#client.getMany(keys),
      (found, start, end) => {
        assert.ok(!found.has('absent'), 'a value for a key that nobody has set')
        for (const key of valueKeys) this.#saw(key, found.get(key), start, end)
      },
    )
  }

  #store(kind: 'set' | 'add' | 'replace', key: string): Promise<void> {
    const value = this.#fresh(key)
    const options = this.#with.random.chance(30) ? { ttl: '1h' } : {}
    return this.#call(
      kind,
      [key, value],
      () => this.#client[kind](key, value, options),
      (done, start, end) => {
        assert.ok(done || kind !== 'set', 'a set that neither stores nor fails')
        this.#keep(key, kind, start, end, { value, outcome: done ? 'done' : 'refused' })
      },
      this.#perhaps(key, kind, { value }),
    )
  }

  #setWithoutReply(key: string): Promise<void> {
    const value = this.#fresh(key)
    const perhaps = this.#perhaps(key, 'set', { value })
    return this.#call(
      'set without reply',
      [key, value],
      () => this.#client.set(key, value, { noreply: true }),
      (_, start) => perhaps('unknown', start),
      perhaps,
    )
  }

  /** Reads a token and uses it: to swap, or to delete. */
  async #swap(key: string): Promise<void> {
    const remove = this.#with.random.chance(25)
    let found: { value: string; cas: bigint } | undefined
    await this.#call(
      'gets',
      [key],
      () => this.#client.gets(key),
      (versioned, start, end) => {
        this.#saw(key, versioned?.value, start, end)
        if (versioned !== undefined) this.checkToken(key, versioned.cas, versioned.value)
        found = versioned
      },
    )
    if (found === undefined || this.#with.digitsLost) return
    if (remove) await this.#compareAndDelete(key, found.cas, found.value)
    else await this.#cas(key, found.cas, found.value)
  }

  #cas(key: string, cas: bigint, expected: string): Promise<void> {
    const value = this.#fresh(key)
    return this.#call(
      'cas',
      [key, value, cas],
      () => this.#client.cas(key, value, cas),
      (outcome, start, end) => {
        const done = outcome === 'stored' ? 'done' : 'refused'
        this.#keep(key, 'cas', start, end, { value, expected, outcome: done, exists: outcome === 'exists' })
      },
      this.#perhaps(key, 'cas', { value, expected }),
    )
  }

  #compareAndDelete(key: string, cas: bigint, expected: string): Promise<void> {
    return this.#call(
      'delete',
      [key, cas],
      () => this.#client.delete(key, { cas }),
      (done, start, end) => this.#keep(key, 'delete', start, end, { expected, outcome: done ? 'done' : 'refused' }),
      this.#perhaps(key, 'delete', { expected }),
    )
  }

  #delete(key: string): Promise<void> {
    return this.#call(
      'delete',
      [key],
      () => this.#client.delete(key),
      (done, start, end) => this.#keep(key, 'delete', start, end, { outcome: done ? 'done' : 'refused' }),
      this.#perhaps(key, 'delete', {}),
    )
  }

  #touch(key: string): Promise<void> {
    if (this.#with.random.chance(50)) {
      return this.#call(
        'gat',
        [key],
        () => this.#client.gat(key, '2h'),
        (value, start, end) => this.#saw(key, value, start, end),
      )
    }
    return this.#call(
      'touch',
      [key],
      () => this.#client.touch(key, '2h'),
      (done, start, end) => this.#keep(key, 'touch', start, end, { outcome: done ? 'done' : 'refused' }),
    )
  }

  #count(): Promise<void> {
    return this.#call(
      'incr',
      ['counter'],
      () => this.#client.incr('counter'),
      (result) => {
        this.counter.done++
        assert.ok(result !== undefined, 'the counter was there')
        if (!this.#with.digitsLost) this.counter.results.push(result)
      },
      (failure) => {
        if (failure === 'unknown') this.counter.unknown++
      },
    )
  }

  #append(): Promise<void> {
    const serial = ++this.#serial
    // Until its answer says more, others may see it.
    this.appends.unknown.push(serial)
    return this.#call(
      'append',
      ['log', serial],
      () => this.#client.append('log', `|${serial}`),
      (done) => {
        assert.ok(done, 'the log was there')
        this.appends.done.push(serial)
      },
    )
  }

  #readLog(): Promise<void> {
    const before = [...this.appends.done]
    return this.#call(
      'get',
      ['log'],
      () => this.#client.get('log'),
      (value) => {
        assert.ok(value !== undefined, 'the log was there')
        this.checkLog(value, before)
      },
    )
  }

  #update(): Promise<void> {
    // On the classic double a lost digit would make two updates one.
    if (this.#with.digitsLost) return Promise.resolve()
    return this.#call(
      'update',
      ['updated'],
      () => this.#client.update('updated', (now) => `${BigInt(now ?? '0') + 1n}`),
      (result) => {
        this.updates.done++
        this.updates.results.push(BigInt(result))
      },
      (failure) => {
        if (failure === 'unknown') this.updates.unknown++
      },
    )
  }

  #fetch(): Promise<void> {
    const { deadlineMs } = this.#with
    return this.#call(
      'fetch',
      ['fetched'],
      () => this.#client.fetch('fetched', '1h', () => this.#fresh('fetched'), { deadlineMs, lease: '1s' }),
      // The flags that tell a placeholder may be garbled too.
      (value) => (value === '' && this.#with.garbled ? undefined : this.checkOwn('fetched', value)),
    )
  }

  #meta(key: string): Promise<void> {
    return this.#call(
      'meta',
      ['mg', key],
      () => this.#client.meta('mg', key, ['v', 'k']),
      ({ value, flags }, start, end) => {
        const echo = `k${this.#with.prefix}${key}`
        if (value !== undefined && !this.#with.garbled) assert.ok(flags.includes(echo), `${key} got ${flags}`)
        this.#saw(key, value?.toString(), start, end)
      },
    )
  }

  #aborted(key: string): Promise<void> {
    const value = this.#fresh(key)
    const controller = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), this.#with.random.below(4))
    return this.#call(
      'set with signal',
      [key, value],
      () => this.#client.set(key, value, { signal: controller.signal }),
      (_, start, end) => this.#keep(key, 'set', start, end, { value }),
      this.#perhaps(key, 'set', { value }),
      reason,
    )
  }

  #version(): Promise<void> {
    return this.#call(
      'version',
      [],
      () => this.#client.version(),
      (versions) => assert.equal(versions.size, 1, 'one server has one version'),
    )
  }
}
