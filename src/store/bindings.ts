/**
 * Items bound to something that ends before the process does, such as a client's connection: when it ends they are deleted,
 * each only if it is still the same item. They are noted in the table of waiters, where those who bury a thread find them.
 */
import type { Engine } from './engine.js'
import { StoreLockTimeoutError } from './errors.js'
import type { Key } from './key.js'
import type { Operations } from './operations.js'
import { WaiterState } from './waiter-layout.js'

/**
 * A set that has grown to this many, or to twice what was left of it then, is gone through for items that are no more. So
 * few, because each set keeps about as many places taken for nothing, and there may be thousands of sets.
 */
const PURGE_FROM = 2
/** When no place is free, those of the thread are gone through for some that could be, but not at every refusal. */
const RECLAIM_EVERY_MS = 100
/** A stripe whose holder died is asked for again after this long. */
const RETRY_MS = 50

/** Takes places of this thread, for waiters and for bindings. When there is none, the bindings of gone items give theirs. */
export class Places {
  readonly #engine: Engine
  readonly #used = new Set<Bindings>()
  #reclaimFromMs = 0

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** @returns its number, or 0 when there is none. */
  reserve(key: Key): number {
    const { waiters } = this.#engine
    return waiters.reserve(key) || (this.#reclaim() ? waiters.reserve(key) : 0)
  }

  #reclaim(): boolean {
    const { nowMs } = this.#engine
    if (nowMs < this.#reclaimFromMs) return false
    this.#reclaimFromMs = nowMs + RECLAIM_EVERY_MS
    for (const bindings of this.#used) bindings.purge()
    return true
  }

  /** These have something bound, or not any more. */
  note(bindings: Bindings, used: boolean): void {
    if (used) this.#used.add(bindings)
    else this.#used.delete(bindings)
  }
}

export class Bindings {
  readonly #engine: Engine
  readonly #operations: Operations
  readonly #places: Places
  readonly #key: Key
  readonly #bound = new Set<number>()
  #purgeAt = PURGE_FROM

  constructor(engine: Engine, operations: Operations, places: Places) {
    this.#engine = engine
    this.#operations = operations
    this.#places = places
    this.#key = engine.newKey()
  }

  /** A binding for the item that is about to be stored under `key`: pass it as `bindTo`. 0 when there is no place for it. */
  reserve(key: Key): number {
    if (this.#bound.size >= this.#purgeAt) this.purge()
    const binding = this.#places.reserve(key)
    if (binding !== 0 || this.#bound.size === 0) return binding
    this.purge()
    return this.#places.reserve(key)
  }

  /** Keeps a binding whose item was stored. */
  keep(binding: number): void {
    this.#bound.add(binding)
    this.#places.note(this, true)
  }

  /** Frees one whose item was not. */
  drop(binding: number): void {
    this.#engine.waiters.free(binding)
  }

  /** Deletes what is bound, and forgets it. */
  release(): void {
    this.#engine.tick()
    for (const binding of this.#bound) this.#releaseOne(binding)
    this.#bound.clear()
    this.#places.note(this, false)
  }

  #releaseOne(binding: number): void {
    const stripe = this.#engine.waiters.stripeOf(binding)
    try {
      this.#engine.withStripe(stripe, () => this.#operations.handOver.abandonLocked(stripe, binding))
    } catch (error) {
      if (!(error instanceof StoreLockTimeoutError)) throw error
      setTimeout(() => this.#releaseOne(binding), RETRY_MS)
    }
  }

  /** Frees the bindings of items that are no more, or have been stored anew. */
  purge(): void {
    const { waiters } = this.#engine
    for (const binding of this.#bound) {
      waiters.readKey(binding, this.#key)
      const { stripe } = this.#key
      const cas = waiters.casOf(binding)
      const isThere = () => this.#operations.hasTokenLocked(stripe, this.#key, cas)
      if (waiters.stateOf(binding) === WaiterState.Bound && this.#engine.withStripe(stripe, isThere)) continue
      this.#bound.delete(binding)
      waiters.free(binding)
    }
    this.#purgeAt = Math.max(PURGE_FROM, this.#bound.size * 2)
    if (this.#bound.size === 0) this.#places.note(this, false)
  }
}
