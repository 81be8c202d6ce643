/** What a participant has in hand when its locks are on real servers, or in a real store. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  createLocks,
  type LockDriver,
  type Locks,
  memcached,
  memcachedOver,
  quorumOf,
  store,
} from '../../locks/index.js'
import { Store } from '../../store/index.js'
import type { Cache, CacheHabits, Hands, Resource } from '../algorithm.js'
import { cacheOn, noCache, type OpenCache } from './cache.js'
import { engines } from './engines/index.js'
import type { EngineHome, Home, ServersHome } from './messages.js'
import { routedWire } from './routed-wire.js'
import { cacheInStore } from './store-cache.js'

export interface OpenHands extends Hands {
  /** Connections take their time: those that are there already when it begins do not. */
  warmUp(): Promise<void>
  close(): Promise<void>
}

/** The things at one home, and how they are closed: the locks first. */
interface Place {
  readonly cache: OpenCache
  driver(): LockDriver
  close(): Promise<void> | void
}

interface Given extends Pick<Hands, 'who' | 'resource' | 'believes'> {
  /** The name of the lock of ours that is going to be used, if there is one. */
  readonly uses?: string | undefined
}

export async function handsIn(home: Home, habits: CacheHabits | undefined, given: Given): Promise<OpenHands> {
  return new RealHands(given, await placeOf(home, habits))
}

async function placeOf(home: Home, habits: CacheHabits | undefined): Promise<Place> {
  if (home.is === 'engine') return onEngine(home)
  return home.is === 'store' ? inStore(Store.attach(home.handle)) : onServers(home, habits)
}

class RealHands implements OpenHands {
  readonly who: number
  readonly cache: Cache
  readonly resource: Resource
  readonly believes: Hands['believes']
  readonly #place: Place
  readonly #uses: string | undefined
  #locks: Locks | undefined

  constructor({ who, resource, believes, uses }: Given, place: Place) {
    this.who = who
    this.cache = place.cache
    this.resource = resource
    this.believes = believes
    this.#place = place
    this.#uses = uses
  }

  get locks(): Locks {
    this.#locks ??= createLocks(this.#place.driver())
    return this.#locks
  }

  now(): number {
    return Date.now()
  }

  async sleep(ms: number): Promise<void> {
    await sleep(ms)
  }

  random(): number {
    return Math.random()
  }

  async warmUp(): Promise<void> {
    // What cannot be reached now will be tried again.
    await Promise.allSettled([this.#place.cache.connect(), this.#uses === undefined || this.locks.explain(this.#uses)])
  }

  async close(): Promise<void> {
    await this.#locks?.close()
    await this.#place.close()
  }
}

function inStore(place: Store): Place {
  return { cache: cacheInStore(place), driver: () => store(place), close: () => place.close() }
}

async function onEngine(home: EngineHome): Promise<Place> {
  const { driver, close } = await engines[home.engine].connect(home)
  return { cache: noCache, driver: () => driver, close }
}

function onServers(home: ServersHome, habits: CacheHabits | undefined): Place {
  const cache = cacheOn(home, habits)
  const closing = [() => cache.close()]
  return {
    cache,
    driver: () => driverOn(home, closing),
    close: async () => {
      for (const close of closing) await close()
    },
  }
}

/**
 * One server goes by any name, and such a driver can be made again in a helper thread. Otherwise keys go where they are said to
 * belong, and what the driver writes beside its locks goes under the prefix, too.
 */
function driverOn(home: ServersHome, closing: (() => Promise<void>)[]): LockDriver {
  const { addresses, keyPrefix, freshServers, maxLeaseMs: maxLease, quorum } = home
  if (quorum) return quorumOf(home.order.map((server) => driverOn(alone(home, server), closing)))
  if (addresses.length === 1 && keyPrefix === '') return memcached({ servers: addresses[0], freshServers, maxLease })
  const wire = routedWire(home)
  closing.push(() => wire.close())
  return memcachedOver(wire, { freshServers, maxLease })
}

function alone({ names, addresses, ...home }: ServersHome, server: number): ServersHome {
  return { ...home, quorum: false, names: [names[server]], addresses: [addresses[server]], order: [0] }
}
