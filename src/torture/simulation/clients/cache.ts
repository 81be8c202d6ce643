/**
 * memcached as popular client libraries show it, with their habits: whether an error is thrown or told as a miss, what becomes of the
 * keys of a server that is away, and whether a request is sent again that brought no answer.
 */
import { CacheError, ServerError, ServerUnavailableError } from '../../../client/index.js'
import type { Cache, CacheHabits } from '../../algorithm.js'
import type { Host } from '../servers/host.js'
import type { Site } from './upstream.js'
import { placeOf, SimulatedWire } from './wire.js'

/** For so long the keys of a server that failed are on the next one, as python-memcached has it. */
const DEAD_MS = 30_000

interface Server {
  readonly wire: SimulatedWire
  deadUntil: number
}

type Ask<R> = (wire: SimulatedWire) => Promise<R>

export class PopularCache implements Cache {
  readonly #site: Site
  readonly #habits: CacheHabits
  readonly #servers: readonly Server[]

  /** `hosts`: in this participant's order. */
  constructor(site: Site, hosts: readonly Host[], habits: CacheHabits) {
    this.#site = site
    this.#habits = habits
    this.#servers = hosts.map((host) => ({ wire: new SimulatedWire({ ...site, simple: true }, [host]), deadUntil: 0 }))
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.gets(key))?.value
  }

  gets(key: string): Promise<{ readonly value: string; readonly cas: bigint } | undefined> {
    return this.#ask(key, undefined, async (wire) => {
      const found = await wire.gets(key)
      return found && { value: found.value.toString(), cas: found.cas }
    })
  }

  set(key: string, value: string, ttlS: number): Promise<boolean> {
    return this.#ask(key, false, async (wire) => (await wire.meta('ms', key, [`T${ttlS}`], value)).status === 'HD')
  }

  add(key: string, value: string, ttlS: number): Promise<boolean> {
    return this.#ask(key, false, (wire) => wire.add(key, Buffer.from(value), inSeconds(ttlS)))
  }

  cas(key: string, value: string, cas: bigint, ttlS: number): Promise<boolean> {
    return this.#ask(key, false, async (wire) => {
      return (await wire.cas(key, Buffer.from(value), cas, inSeconds(ttlS))) === 'stored'
    })
  }

  delete(key: string): Promise<boolean> {
    return this.#ask(key, false, (wire) => wire.delete(key))
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map(({ wire }) => wire.close()))
  }

  async #ask<R>(key: string, missed: R, ask: Ask<R>): Promise<R> {
    try {
      return await this.#askSomebody(key, ask)
    } catch (error) {
      if (this.#habits.errors !== 'as a miss' || !(error instanceof CacheError)) throw error
      return missed
    }
  }

  /** The key's server or, where keys move, the first after it that can be connected to. */
  async #askSomebody<R>(key: string, ask: Ask<R>): Promise<R> {
    const moves = this.#habits.dead === 'next server'
    const first = placeOf(key, this.#servers.length)
    let last: unknown
    for (let i = 0; i < (moves ? this.#servers.length : 1); i++) {
      const server = this.#servers[(first + i) % this.#servers.length]
      if (moves && server.deadUntil > this.#now()) continue
      try {
        return await this.#askOften(server, ask)
      } catch (error) {
        if (moves && isAway(error)) server.deadUntil = this.#now() + DEAD_MS
        if (!(error instanceof ServerUnavailableError)) throw error
        last = error
      }
    }
    throw last ?? new ServerUnavailableError('any server')
  }

  async #askOften<R>({ wire }: Server, ask: Ask<R>): Promise<R> {
    try {
      return await ask(wire)
    } catch (error) {
      if (!this.#habits.retries || !isAway(error) || error instanceof ServerUnavailableError) throw error
      return ask(wire)
    }
  }

  #now(): number {
    return this.#site.machine.monotonicMs()
  }
}

/** They speak the classic protocol. */
function inSeconds(ttlS: number) {
  return { ttl: ttlS * 1000, classic: true }
}

function isAway(error: unknown): boolean {
  return error instanceof CacheError && !(error instanceof ServerError)
}
