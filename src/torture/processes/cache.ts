/** memcached as popular client libraries show it: each key on a server of the list, and their ways of telling what went wrong. */
import {
  type Client,
  ConnectionLostError,
  createClient,
  DeadlineExceededError,
  ServerUnavailableError,
} from '../../client/index.js'
import type { Cache, CacheHabits } from '../algorithm.js'
import { LaboratoryError } from './errors.js'
import type { ServersHome } from './messages.js'

export interface OpenCache extends Cache {
  /** To all of its servers, without asking for a key. Rejects when one cannot be reached. */
  connect(): Promise<void>
  close(): Promise<void>
}

/** Of those who have locks where there is no cache. */
export const noCache: OpenCache = {
  get: noneThere,
  gets: noneThere,
  set: noneThere,
  add: noneThere,
  cas: noneThere,
  delete: noneThere,
  async connect() {},
  async close() {},
}

async function noneThere(): Promise<never> {
  throw new LaboratoryError('there is no cache where these locks are')
}

/** The list is in the participant's own order, and who asks the next server asks the next of that list. */
export function cacheOn({ addresses, order, keyPrefix, retries }: ServersHome, habits: CacheHabits = {}): OpenCache {
  const clients = order.map((server) => createClient({ servers: addresses[server], keyPrefix }))
  return new HabitualCache(clients, { ...habits, retries: retries || (habits.retries ?? false) })
}

class HabitualCache implements OpenCache {
  readonly #clients: readonly Client<string>[]
  readonly #habits: CacheHabits

  constructor(clients: readonly Client<string>[], habits: CacheHabits) {
    this.#clients = clients
    this.#habits = habits
  }

  get(key: string): Promise<string | undefined> {
    return this.#ask(key, undefined, (client) => client.get(key))
  }

  gets(key: string): Promise<{ value: string; cas: bigint } | undefined> {
    return this.#ask(key, undefined, (client) => client.gets(key))
  }

  set(key: string, value: string, ttlS: number): Promise<boolean> {
    return this.#ask(key, false, (client) => client.set(key, value, { ttl: ttlS * 1000 }))
  }

  add(key: string, value: string, ttlS: number): Promise<boolean> {
    return this.#ask(key, false, (client) => client.add(key, value, { ttl: ttlS * 1000 }))
  }

  cas(key: string, value: string, cas: bigint, ttlS: number): Promise<boolean> {
    const swap = async (client: Client<string>) =>
      (await client.cas(key, value, cas, { ttl: ttlS * 1000 })) === 'stored'
    return this.#ask(key, false, swap)
  }

  delete(key: string): Promise<boolean> {
    return this.#ask(key, false, (client) => client.delete(key))
  }

  async connect(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.version()))
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()))
  }

  async #ask<R>(key: string, miss: R, send: (client: Client<string>) => Promise<R>): Promise<R> {
    try {
      return await this.#askOn(serverOf(key, this.#clients.length), this.#clients.length, send)
    } catch (error) {
      if (this.#habits.errors === 'as a miss') return miss
      throw error
    }
  }

  /** `left`: how many servers there are to ask, this one included. */
  async #askOn<R>(server: number, left: number, send: (client: Client<string>) => Promise<R>): Promise<R> {
    try {
      return await this.#persist(() => send(this.#clients[server]))
    } catch (error) {
      if (this.#habits.dead !== 'next server' || left <= 1 || !isUnreached(error)) throw error
      return this.#askOn((server + 1) % this.#clients.length, left - 1, send)
    }
  }

  async #persist<R>(send: () => Promise<R>): Promise<R> {
    try {
      return await send()
    } catch (error) {
      if (!this.#habits.retries || !isUnanswered(error)) throw error
      return reconnected(send)
    }
  }
}

/** For as long as a library tries to connect again before it gives up. */
const RECONNECT_MS = 1000
const PAUSE_MS = 20

/** Whose connection is gone has to make another one before it can send anything again. */
async function reconnected<R>(send: () => Promise<R>): Promise<R> {
  const until = performance.now() + RECONNECT_MS
  for (;;) {
    try {
      return await send()
    } catch (error) {
      if (!isUnreached(error) || performance.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
}

/** Nothing was sent. */
function isUnreached(error: unknown): boolean {
  return error instanceof ServerUnavailableError || (error instanceof DeadlineExceededError && !error.sent)
}

/** It was sent, and may or may not have been carried out. */
function isUnanswered(error: unknown): boolean {
  return error instanceof ConnectionLostError || (error instanceof DeadlineExceededError && error.sent)
}

/** Any division of keys will do that depends on the place in the list, as that of python-memcached. FNV-1a. */
function serverOf(key: string, servers: number): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0) % servers
}
