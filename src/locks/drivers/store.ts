/**
 * Locks on the embedded store, between the threads that have attached to it. Tokens never come again there, so that the token of
 * the winning add is the fence, and claims wait in the key's queue without anything being asked twice.
 */
import type { Claimed, Entry, Store } from '../../store/index.js'
import type { Call, Claim, ClaimResult, Facts, Found, Lease, LockDriver, Registers } from '../driver.js'
import { lifeMs } from './life.js'
import { decodeRecord, encodeRecord, FOREIGN } from './record.js'
import { isRegister } from './register.js'
import { attempt } from './store/outcome.js'
import { StoreRegisters } from './store/registers.js'

/** What a timer can wait: 24 days. */
const MOST_WAIT_MS = 2 ** 31 - 1

/** Locks on this store. It stays open when the driver is closed. */
export function store(store: Store): LockDriver {
  return new StoreDriver(store)
}

class StoreDriver implements LockDriver {
  readonly kind = 'store'
  /**
   * Another thread could attach to the store, but who starts it has to let the store watch over it (`adopt`): what a thread that
   * dies holds would stay locked.
   */
  readonly remake = undefined
  readonly registers: Registers
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
    this.registers = new StoreRegisters(store)
  }

  async claim(claim: Claim, { clock, signal, onQueued }: Call): Promise<ClaimResult> {
    const { key, name, holder, ttlMs, waitMs, guarantee } = claim
    signal?.throwIfAborted()
    const record = encodeRecord(holder, guarantee === 'fenced' ? 'token' : 'none')
    const queued = waitMs >= 1
    const from = clock.now()
    const mostMs = queued ? Math.floor(Math.min(waitMs, MOST_WAIT_MS)) : 0
    const options = { ttlMs: lifeMs(ttlMs), waitMs: mostMs, signal, onQueued }
    // The wait itself keeps no thread going, and somebody is waiting for it.
    const going = setTimeout(() => undefined, options.waitMs)
    const asked = attempt<Claimed | undefined>(name, () => this.#store.claimOrWait(key, record, options))
    const claimed = await asked.finally(() => clearTimeout(going))
    if (claimed === undefined) return { status: 'busy', found: this.#found(key), queued }
    const { cas, waitedMs } = claimed
    const fence = guarantee === 'fenced' ? cas : undefined
    return {
      status: 'held',
      lease: { key, name, holder, fence, version: cas, from: from + waitedMs, granularityMs: 0 },
    }
  }

  async extend(lease: Lease<bigint>, ttlMs: number, { clock, signal }: Call): Promise<Lease | undefined> {
    const { key, name, holder, fence, version } = lease
    signal?.throwIfAborted()
    const record = encodeRecord(holder, fence ?? 'none')
    const from = clock.now()
    const swapped = await attempt(name, () => this.#store.swap(key, record, version, { ttlMs: lifeMs(ttlMs) }))
    return typeof swapped === 'bigint' ? { ...lease, version: swapped, from, granularityMs: 0 } : undefined
  }

  release(key: string, version: bigint): Promise<boolean> {
    return attempt(key, () => this.#store.delete(key, version))
  }

  async find(key: string, { signal }: Call): Promise<Found | undefined> {
    signal?.throwIfAborted()
    return attempt(key, () => this.#found(key))
  }

  /** Of keys under the store's pinned prefixes; others it cannot list. */
  async *list(keyPrefix: string, { signal }: Call): AsyncGenerator<Found> {
    for (const { key, waiting, ...entry } of this.#store.pinned(keyPrefix)) {
      signal?.throwIfAborted()
      if (isRegister(key)) continue
      yield foundOf(key, entry, waiting)
    }
  }

  async facts(key: string): Promise<Facts> {
    const { evict, pinnedPrefixes } = this.#store.handle.options
    const isPinned = pinnedPrefixes.some((prefix) => key.startsWith(prefix))
    return {
      what: 'the store of this process',
      evicts: evict && !isPinned,
      // The store ends with the process, and with it whoever could hold a lock.
      survivesRestart: true,
      granularityMs: 0,
      queues: true,
      remote: false,
      notes: isPinned ? [] : [`Only keys under its pinned prefixes are never evicted: ${pinnedPrefixes.join(' ')}`],
    }
  }

  async close(): Promise<void> {}

  #found(key: string): Found | undefined {
    const entry = this.#store.gets(key)
    return entry && foundOf(key, entry, this.#store.waiting(key))
  }
}

function foundOf(key: string, { value, cas, ttlMs }: Entry, waiters: number): Found {
  const { holder, fence } = decodeRecord(value) ?? FOREIGN
  return {
    key,
    holder,
    fence: fence === 'token' ? cas : fence === 'none' ? undefined : fence,
    version: cas,
    leftMs: ttlMs < 0 ? undefined : ttlMs,
    waiters,
  }
}
