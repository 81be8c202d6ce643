/**
 * The waits of this thread: its timers, and how it learns what other threads have decided. A thread that grants or refuses
 * a wait signals the thread of the waiter, which then looks at the states of its own.
 */
import type { Places } from './bindings.js'
import type { Bytes } from './bytes.js'
import { Counter } from './counters.js'
import type { Engine } from './engine.js'
import { StoreGraceError, StoreLockTimeoutError, StoreMemoryError, StoreStateError } from './errors.js'
import type { Key } from './key.js'
import { Obstacle, type Operations } from './operations.js'
import { Outcome, type WriteOptions } from './types.js'
import { WaiterState } from './waiter-layout.js'
import { isInQueue } from './waiters.js'

/** Longer times do not fit a timer: it is set again. */
const TIMER_MAX_MS = 2 ** 31 - 1
/** A stripe whose holder died is asked for again after this long. */
const RETRY_MS = 50
/** Well within what the horizon of leases is written ahead. */
const AHEAD_INTERVAL_MS = 1000

/** What came of a wait. */
export interface WaitEnd {
  readonly status: 'granted' | 'timed-out' | 'refused' | 'closed'
  /** Of `refused`. */
  readonly error?: Error
  /** Of the granted item. */
  readonly cas: bigint
  /** How long it waited, rounded down. */
  readonly waitedMs: number
}

/** One add in a queue. */
export interface Wait {
  /**
   * Leaves the queue, and gives the key back if it was granted: nothing is left behind, and nobody is told any more. Does
   * nothing once the end was told.
   */
  abandon(): void
}

class Waiting implements Wait {
  readonly deadlineMs: number
  deadline: NodeJS.Timeout | undefined
  /** Goes off when the item that is waited for expires. */
  expiry: NodeJS.Timeout | undefined

  constructor(
    readonly waits: Waits,
    readonly waiter: number,
    readonly stripe: number,
    readonly sinceMs: number,
    /** Its place goes on as a binding once it is granted. */
    readonly binds: boolean,
    /** Of its item, if that is pinned and ends; else 0. */
    readonly leaseMs: number,
    waitMs: number,
    readonly settle: (end: WaitEnd) => void,
  ) {
    this.deadlineMs = performance.now() + waitMs
  }

  abandon(): void {
    this.waits.abandon(this)
  }

  stopTimers(): void {
    clearTimeout(this.deadline)
    clearTimeout(this.expiry)
  }
}

/** Why a waiter was refused: what stood in the way of its item. */
function refusalOf(obstacle: number, graceMs: number): Error {
  if (obstacle === Obstacle.Grace) return new StoreGraceError(graceMs)
  if (obstacle === Obstacle.Horizon) return new StoreStateError('the key became free, and no lease could be given')
  return new StoreMemoryError()
}

export class Waits {
  readonly #engine: Engine
  readonly #operations: Operations
  readonly #places: Places
  readonly #key: Key
  readonly #pending = new Map<number, Waiting>()
  #listening = false
  #ahead: NodeJS.Timeout | undefined

  constructor(engine: Engine, operations: Operations, places: Places) {
    this.#engine = engine
    this.#operations = operations
    this.#places = places
    this.#key = engine.newKey()
  }

  /**
   * Waits for `key`, up to `waitMs`, to store the value as the options say; `leaseMs` is its life if it is a lease, else 0.
   * @returns `undefined` when the key turns out to be vacant, or what is in the way.
   */
  begin(
    key: Key,
    value: Bytes,
    start: number,
    length: number,
    options: WriteOptions,
    leaseMs: number,
    waitMs: number,
    settle: (end: WaitEnd) => void,
  ): Wait | Outcome | undefined {
    const { waiters } = this.#engine
    const waiter = options.bindTo || this.#places.reserve(key)
    if (waiter === 0) return Outcome.TooManyWaiters
    waiters.writeItem(waiter, value, start, length, options)
    // A millisecond more than the clock's last whole one: what is told as waited must not be more than was.
    const sinceMs = this.#engine.nowMs + 1
    let leftMs: number | undefined
    try {
      leftMs = this.#enqueue(key, waiter, sinceMs)
    } finally {
      // Not in the queue: the key is vacant, or its stripe could not be locked. A binding is its maker's to free.
      if (options.bindTo === 0 && waiters.stateOf(waiter) === WaiterState.Reserved) waiters.free(waiter)
    }
    if (leftMs === undefined) return undefined
    this.#engine.counters.add(Counter.waits)
    const wait = new Waiting(this, waiter, key.stripe, sinceMs, options.bindTo !== 0, leaseMs, waitMs, settle)
    this.#pending.set(waiter, wait)
    this.#awaitDeadline(wait)
    this.#awaitExpiry(wait, leftMs)
    this.#listenSoon()
    this.#keepAhead()
    return wait
  }

  /** @returns what is left of the life of the item in the way, or `undefined` when there is none. */
  #enqueue(key: Key, waiter: number, sinceMs: number): number | undefined {
    const { stripe } = key
    const { waiters } = this.#engine
    return this.#engine.withStripe(stripe, () => {
      const leftMs = this.#operations.lifeLocked(stripe, key)
      if (leftMs === undefined) return undefined
      waiters.setSince(waiter, sinceMs)
      waiters.enqueueLocked(stripe, waiter)
      return leftMs
    })
  }

  /** This timer keeps the process alive: whoever waits wants to hear the end. */
  #awaitDeadline(wait: Waiting): void {
    const leftMs = Math.max(0, wait.deadlineMs - performance.now())
    wait.deadline = setTimeout(() => this.#outOfTime(wait), Math.min(leftMs, TIMER_MAX_MS))
  }

  /** An expired item goes when somebody looks: whoever waits does, at the moment when it does. */
  #awaitExpiry(wait: Waiting, leftMs: number | undefined): void {
    clearTimeout(wait.expiry)
    if (leftMs === undefined || leftMs < 0) return
    wait.expiry = setTimeout(() => this.#look(wait), Math.min(leftMs, TIMER_MAX_MS)).unref()
  }

  #look(wait: Waiting): void {
    if (!this.#pending.has(wait.waiter)) return
    let leftMs: number | undefined
    const looked = this.#locked(wait.stripe, () => {
      this.#engine.waiters.readKey(wait.waiter, this.#key)
      leftMs = this.#operations.lifeLocked(wait.stripe, this.#key)
    })
    this.#awaitExpiry(wait, looked ? leftMs : RETRY_MS)
  }

  #outOfTime(wait: Waiting): void {
    if (wait.deadlineMs > performance.now()) {
      this.#awaitDeadline(wait)
      return
    }
    const { waiters, counters } = this.#engine
    let left = false
    const looked = this.#locked(wait.stripe, () => {
      left = isInQueue(waiters.stateOf(wait.waiter))
      if (left) this.#operations.handOver.leaveLocked(wait.stripe, wait.waiter)
    })
    if (!looked) {
      wait.deadline = setTimeout(() => this.#outOfTime(wait), RETRY_MS)
      return
    }
    // Granted in the last moment is granted: its owner is to know.
    if (!left) {
      this.#collectOne(wait)
      return
    }
    counters.add(Counter.waitsTimedOut)
    waiters.free(wait.waiter)
    this.#end(wait, { status: 'timed-out', cas: 0n, waitedMs: 0 })
  }

  /** For `Wait`. */
  abandon(wait: Waiting): void {
    if (this.#pending.get(wait.waiter) !== wait) return
    this.#pending.delete(wait.waiter)
    wait.stopTimers()
    this.#engine.counters.add(Counter.waitsAbandoned)
    this.#leave(wait.stripe, wait.waiter)
  }

  #leave(stripe: number, waiter: number): void {
    if (this.#locked(stripe, () => this.#operations.handOver.abandonLocked(stripe, waiter))) return
    setTimeout(() => this.#leave(stripe, waiter), RETRY_MS)
  }

  /** Runs `action` under the stripe's lock. False when that could not be had: its holder died, and is not buried yet. */
  #locked(stripe: number, action: () => void): boolean {
    try {
      this.#engine.tick()
      this.#engine.withStripe(stripe, action)
      return true
    } catch (error) {
      if (error instanceof StoreLockTimeoutError) return false
      throw error
    }
  }

  /** Not at once: the wait may be over already, and nobody hears of that before he knows that he waits. */
  #listenSoon(): void {
    if (this.#listening) return
    this.#listening = true
    queueMicrotask(() => this.#listen())
  }

  /**
   * Collects what was decided, and sleeps until there is more. The signal is read before the states: what is decided in
   * between changes it, and `waitAsync` returns at once.
   */
  #listen(): void {
    const { waiterWords } = this.#engine.memory
    const { slot } = this.#engine
    for (;;) {
      const seen = Atomics.load(waiterWords, slot)
      for (const wait of this.#pending.values()) this.#collectOne(wait)
      if (this.#pending.size === 0) break
      const next = Atomics.waitAsync(waiterWords, slot, seen)
      if (!next.async) continue
      void next.value.then(() => this.#listen())
      return
    }
    this.#listening = false
  }

  #collectOne(wait: Waiting): void {
    const { waiters } = this.#engine
    const state = waiters.stateOf(wait.waiter)
    if (state === WaiterState.Look && waiters.heedLook(wait.waiter)) this.#look(wait)
    else if (state === WaiterState.Granted) this.#granted(wait)
    else if (state === WaiterState.Refused) {
      const error = refusalOf(Number(waiters.casOf(wait.waiter)), this.#operations.graceMs)
      waiters.free(wait.waiter)
      this.#end(wait, { status: 'refused', error, cas: 0n, waitedMs: 0 })
    }
  }

  #granted(wait: Waiting): void {
    const { waiters } = this.#engine
    const cas = waiters.casOf(wait.waiter)
    const waitedMs = Math.max(0, waiters.sinceOf(wait.waiter) - wait.sinceMs)
    if (wait.binds) waiters.setState(wait.waiter, WaiterState.Bound)
    else waiters.free(wait.waiter)
    this.#end(wait, { status: 'granted', cas, waitedMs })
  }

  #end(wait: Waiting, end: WaitEnd): void {
    this.#pending.delete(wait.waiter)
    wait.stopTimers()
    wait.settle(end)
  }

  /** Leases that may be given soon are written down before: whoever hands one over is not to wait for the disk. */
  #keepAhead(): void {
    if (this.#ahead !== undefined || this.#engine.horizon.keeper === undefined) return
    this.#ahead = setInterval(() => {
      this.#engine.tick()
      for (const { leaseMs } of this.#pending.values())
        if (leaseMs > 0) this.#engine.horizon.noteLease(this.#engine.nowMs + leaseMs)
      if (this.#pending.size > 0) return
      clearInterval(this.#ahead)
      this.#ahead = undefined
    }, AHEAD_INTERVAL_MS).unref()
  }

  /** The engine frees the places, and gives back what was granted. */
  close(): void {
    for (const wait of [...this.#pending.values()]) this.#end(wait, { status: 'closed', cas: 0n, waitedMs: 0 })
    clearInterval(this.#ahead)
    this.#engine.waiters.signal(this.#engine.slot)
  }
}
