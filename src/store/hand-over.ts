/**
 * Who gets a key that has become vacant: the one who has waited for it longest. Its item is stored under the stripe's
 * lock before that is released, so that nobody sees the key vacant, and no add slips in between.
 */
import type { Changes } from './changes.js'
import { Counter, type Counters } from './counters.js'
import type { Key } from './key.js'
import { Mark, Stripe } from './layout.js'
import type { Memory } from './memory.js'
import { WaiterState } from './waiter-layout.js'
import { isInQueue, type Waiters } from './waiters.js'

/** What becomes of items, which `operations.ts` knows. */
export interface Succession {
  /** Whether the key has an item that lives. One that has expired is dropped. */
  isLiveLocked(stripe: number, key: Key): boolean
  /** Stores a waiter's item under its vacant key, having noted its token and `Granting` first. False without memory. */
  grantLocked(stripe: number, key: Key, waiter: number): boolean
  /** Whether the key has an item with this token. */
  hasTokenLocked(stripe: number, key: Key, cas: bigint): boolean
  /** Deletes the key's item if it has this token. */
  removeTokenLocked(stripe: number, key: Key, cas: bigint): void
}

export class HandOver {
  readonly #memory: Memory
  readonly #waiters: Waiters
  readonly #changes: Changes
  readonly #counters: Counters
  readonly #key: Key
  readonly #succession: Succession
  /** Milliseconds since the store began. */
  readonly #now: () => number

  constructor(parts: {
    memory: Memory
    waiters: Waiters
    changes: Changes
    counters: Counters
    key: Key
    succession: Succession
    now: () => number
  }) {
    this.#memory = parts.memory
    this.#waiters = parts.waiters
    this.#changes = parts.changes
    this.#counters = parts.counters
    this.#key = parts.key
    this.#succession = parts.succession
    this.#now = parts.now
  }

  /** Finds holders for the keys that were noted as changed. Again, while that changes others: what is stored may be over already. */
  settleLocked(stripe: number): void {
    const marksAt = this.#memory.stripeAt(stripe) + Stripe.Marks
    do this.#passLocked(stripe, this.#changes.takeLocked(stripe))
    while ((this.#memory.control[marksAt]! & Mark.Changed) !== 0)
  }

  /** Offers one key, or all, to those who wait, oldest first. */
  #passLocked(stripe: number, only: Key | undefined): void {
    const waiters = this.#waiters
    for (let waiter = waiters.firstLocked(stripe); waiter !== 0; ) {
      const next = waiters.nextLocked(waiter)
      const concerned = only === undefined || waiters.isFor(waiter, only)
      if (concerned && this.#offerLocked(stripe, waiter) && only !== undefined) return
      waiter = next
    }
  }

  /** Gives a waiter its key if that is vacant. If not, it is to look when the key's item ends, and the answer is true. */
  #offerLocked(stripe: number, waiter: number): boolean {
    this.#waiters.readKey(waiter, this.#key)
    const taken = this.#succession.isLiveLocked(stripe, this.#key)
    if (taken) this.#tellLocked(waiter)
    else this.#grantLocked(stripe, waiter)
    return taken
  }

  /** Whoever is first in a key's queue keeps a timer for the end of its item, and is told when that end moves. */
  #tellLocked(waiter: number): void {
    if (this.#waiters.stateOf(waiter) !== WaiterState.Waiting) return
    this.#waiters.setState(waiter, WaiterState.Look)
    this.#waiters.signal(this.#waiters.ownerOf(waiter))
  }

  #grantLocked(stripe: number, waiter: number): void {
    const granted = this.#succession.grantLocked(stripe, this.#key, waiter)
    const owner = this.#waiters.ownerOf(waiter)
    if (granted) this.#waiters.setSince(waiter, this.#now())
    this.#counters.add(granted ? Counter.handOvers : Counter.waitsRefused)
    // Out of the queue first: from its new state on the waiter is its owner's, who may free it at once.
    this.#waiters.leaveLocked(stripe, waiter)
    this.#waiters.setState(waiter, granted ? WaiterState.Granted : WaiterState.Refused)
    this.#waiters.signal(owner)
  }

  /**
   * Makes the queue of a stripe anew, the items of which have been repaired. A waiter to which the key was just being
   * given has it if its item is there, and is asked again when not. Then every key is looked at.
   */
  repairLocked(stripe: number): void {
    const waiters = this.#waiters
    for (let waiter = 1; waiter <= this.#memory.waiters; waiter++) {
      if (waiters.stateOf(waiter) !== WaiterState.Granting || waiters.stripeOf(waiter) !== stripe) continue
      waiters.readKey(waiter, this.#key)
      const granted = this.#succession.hasTokenLocked(stripe, this.#key, waiters.casOf(waiter))
      waiters.setState(waiter, granted ? WaiterState.Granted : WaiterState.Waiting)
    }
    waiters.rebuildLocked(stripe)
    this.#changes.noteAllLocked(stripe)
    // The thread that died may have been about to tell somebody.
    waiters.signalAll()
  }

  /**
   * Ends a wait, whatever has become of it, and frees its place: what it was granted, or is bound to, is deleted if it is
   * still the same item. For who gives up, who closes a connection, and for the waiters of a thread that died.
   */
  abandonLocked(stripe: number, waiter: number): void {
    const waiters = this.#waiters
    const state = waiters.stateOf(waiter)
    waiters.readKey(waiter, this.#key)
    if (isInQueue(state)) this.leaveLocked(stripe, waiter)
    else if (state === WaiterState.Granted || state === WaiterState.Bound)
      this.#succession.removeTokenLocked(stripe, this.#key, waiters.casOf(waiter))
    waiters.free(waiter)
  }

  /** Takes a waiter out of the queue; it is reserved then. Whoever comes after it may now be the first to look. */
  leaveLocked(stripe: number, waiter: number): void {
    this.#waiters.readKey(waiter, this.#key)
    this.#waiters.leaveLocked(stripe, waiter)
    this.#waiters.setState(waiter, WaiterState.Reserved)
    this.#changes.noteLocked(stripe, this.#key)
  }
}
