/**
 * Our client as the lock driver uses it, with the failures that it has: a request is sent or not, and is answered, or the caller is
 * told which of the two nobody knows.
 */
import {
  type CallOptions,
  InvalidArgumentError,
  type ListedKey,
  type MetaCommand,
  type MetaReply,
  type Session,
  UnsupportedError,
} from '../../../client/index.js'
import type { Wire } from '../../../locks/index.js'
import type { Host } from '../servers/host.js'
import type { Answer, Request } from '../servers/request.js'
import { Exchange } from './exchange.js'
import { ringOf } from './ring.js'
import { type Site, Upstream } from './upstream.js'

const DEADLINE_MS = 1000
const NONE = {}

type Options = Pick<CallOptions, 'deadlineMs' | 'signal' | 'session'>
type Fields = Pick<Request, 'command' | 'key' | 'flags' | 'value' | 'classic'>

/** `hosts`: in their user’s order. Each key has its server, whichever can be reached. */
export class SimulatedWire implements Wire {
  readonly #site: Site
  readonly #hosts: readonly Host[]
  /** By the name of the server; of those that were asked for anything. */
  readonly #upstreams = new Map<string, Upstream>()
  readonly #ring: ReturnType<typeof ringOf>

  constructor(site: Site, hosts: readonly Host[]) {
    this.#site = site
    this.#hosts = hosts
    this.#ring = ringOf(hosts.map(({ name }) => name))
  }

  duplicate(): SimulatedWire {
    return new SimulatedWire(this.#site, this.#hosts)
  }

  session(key: string | Uint8Array, options: Options = NONE): Promise<Session> {
    return this.#start(undefined, this.#upstreamOf(key, options), options) as Promise<Session>
  }

  currentSession(key: string | Uint8Array): Session | undefined {
    return this.#upstreamOf(key, NONE).currentSession
  }

  serverOf(key: string | Uint8Array): string {
    return this.#upstreamOf(key, NONE).host.name
  }

  async meta(
    command: MetaCommand,
    key: string | Uint8Array,
    flags: readonly string[] = [],
    value?: Uint8Array | string,
    options: Options = NONE,
  ): Promise<MetaReply> {
    if (command === 'me') throw new UnsupportedError('the simulated servers have no me')
    const text = value === undefined ? undefined : textOf(value)
    const answer = await this.#ask({ command, key: textOf(key), flags, value: text }, options)
    const { status } = answer
    const reply: MetaReply = { status, flags: [...answer.flags] }
    if (answer.value !== undefined) reply.value = Buffer.from(answer.value)
    return reply
  }

  async stats(group = '', options: Options = NONE): Promise<Map<string, Record<string, string>>> {
    if (group !== '' && group !== 'settings')
      throw new UnsupportedError(`the simulated servers have no statistics of ${group}`)
    const { session } = options
    const asked = this.#hosts
      .filter(({ name }) => session === undefined || name === session.server)
      .map((host) => this.#upstreamAt(host.name))
    const rows = asked.map(async (upstream): Promise<[string, Record<string, string>]> => {
      const request = { command: 'stats' as const, key: group, flags: [] }
      const answer = (await this.#start(request, upstream, options)) as Answer
      return [upstream.host.name, { ...answer.rows }]
    })
    return new Map(await Promise.all(rows))
  }

  async add(
    key: string | Uint8Array,
    value: Uint8Array,
    options: Options & { ttl?: unknown; classic?: boolean } = NONE,
  ): Promise<boolean> {
    const { ttl, classic } = options
    const request = {
      command: 'ms',
      key: textOf(key),
      flags: ['ME', lifeOf(ttl)],
      value: textOf(value),
      classic,
    } as const
    const answer = await this.#ask(request, options)
    return answer.status === 'HD'
  }

  async cas(
    key: string | Uint8Array,
    value: Uint8Array,
    token: bigint,
    options: Options & { ttl?: unknown; classic?: boolean } = NONE,
  ): Promise<'stored' | 'exists' | 'not-found'> {
    const { ttl, classic } = options
    const flags = [`C${token}`, lifeOf(ttl)]
    const request = { command: 'ms', key: textOf(key), flags, value: textOf(value), classic } as const
    const { status } = await this.#ask(request, options)
    return status === 'HD' ? 'stored' : status === 'EX' ? 'exists' : 'not-found'
  }

  async gets(key: string | Uint8Array, options: Options = NONE): Promise<{ value: Buffer; cas: bigint } | undefined> {
    const answer = await this.#ask({ command: 'mg', key: textOf(key), flags: ['v', 'c'] }, options)
    if (answer.value === undefined) return undefined
    return { value: Buffer.from(answer.value), cas: BigInt(answer.flags[0].slice(1)) }
  }

  async delete(key: string | Uint8Array, options: Options & { cas?: bigint } = NONE): Promise<boolean> {
    const flags = options.cas === undefined ? [] : [`C${options.cas}`]
    return (await this.#ask({ command: 'md', key: textOf(key), flags }, options)).status === 'HD'
  }

  async incr(
    key: string | Uint8Array,
    delta: number | bigint = 1,
    options: Options & { initial?: number | bigint; ttl?: unknown } = NONE,
  ): Promise<bigint | undefined> {
    const { initial, ttl } = options
    const flags = ['v', `D${delta}`]
    if (initial !== undefined) flags.push(`N${lifeOf(ttl).slice(1)}`, `J${initial}`)
    const { value } = await this.#ask({ command: 'ma', key: textOf(key), flags }, options)
    return value === undefined ? undefined : BigInt(value)
  }

  // biome-ignore lint/correctness/useYield: nothing is listed
  async *keys(): AsyncGenerator<ListedKey> {
    throw new UnsupportedError('the simulated servers list nothing')
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#upstreams.values(), (upstream) => upstream.close()))
  }

  async hangUp(): Promise<void> {
    await Promise.all(Array.from(this.#upstreams.values(), (upstream) => upstream.hangUp()))
  }

  async #ask(fields: Fields, options: Options): Promise<Answer> {
    return (await this.#start(fields, this.#upstreamOf(fields.key, options), options)) as Answer
  }

  #start(fields: Fields | undefined, upstream: Upstream, options: Options): Promise<Answer | Session> {
    const { machine } = this.#site
    const { deadlineMs = DEADLINE_MS, signal, session } = options
    machine.act()
    if (signal?.aborted) return Promise.reject(signal.reason)
    const request = fields && { ...fields, by: machine.who }
    const exchange = new Exchange(request, session, machine.monotonicMs(), deadlineMs)
    if (signal !== undefined) exchange.endOn(signal)
    upstream.submit(exchange)
    return exchange.promise
  }

  #upstreamOf(key: string | Uint8Array, { session }: Options): Upstream {
    return this.#upstreamAt(session === undefined ? this.#ring.serverOf(textOf(key)) : session.server)
  }

  #upstreamAt(server: string): Upstream {
    const known = this.#upstreams.get(server)
    if (known !== undefined) return known
    const host = this.#hosts.find(({ name }) => name === server)
    if (host === undefined) throw new InvalidArgumentError(`${server} is not one of the servers`)
    const upstream = new Upstream(this.#site, host)
    this.#upstreams.set(server, upstream)
    return upstream
  }
}

function textOf(bytes: string | Uint8Array): string {
  return typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString()
}

/** Spans of milliseconds as whole seconds; none: for ever. */
function lifeOf(ttl: unknown): string {
  return `T${ttl === undefined ? 0 : Math.ceil(Number(ttl) / 1000)}`
}
