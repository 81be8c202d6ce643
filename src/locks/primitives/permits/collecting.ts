/**
 * Getting permits for whoever holds the gate, and so is the only one who waits for them. It never claims more slots at a time than it
 * lacks: what it gets it keeps, and two never take turns in giving back to each other. Only who holds the gate has some and waits for more;
 * so nobody waits in a ring.
 */
import { Backoff } from '../../../time/index.js'
import type { LeaseKeeper } from '../../lease-keeper.js'
import { pause } from '../../pause.js'
import { MOST_SLOTS } from './places.js'
import type { PermitRequest } from './request.js'
import { allOf, type Claimed, claimSlot, keepMeanwhile, LOOKS_AT_ONCE, lookAtSlots, shuffle } from './slots.js'

/** In the queues of so many slots at a time, each on a connection of its own. */
const WAITS_AT_ONCE = 8
/** How long it waits before it looks at the other slots. */
const LOOK_LEAST_MS = 10
const LOOK_MOST_MS = 250
/** Where it needs all there are, others are no help. */
const NEEDS_ALL_MS = 5000

/**
 * Resolves with `count` permits, in the order of the slots, and keeps them until somebody else does. Throws LockBusyError,
 * LockWaitTimeoutError, LockUnavailableError, LockAmbiguousError, LockArgumentError and the reason of the signal, and then leaves
 * nothing behind.
 */
export function collect(request: PermitRequest, count: number): Promise<LeaseKeeper[]> {
  return new Collecting(request, count).run()
}

class Collecting {
  readonly #request: PermitRequest
  readonly #count: number
  /** By slot. */
  readonly #had = new Map<number, LeaseKeeper>()
  readonly #pauses: Backoff
  /** Does the server have queues? Believed until it says that it has not. */
  #queues = true

  constructor(request: PermitRequest, count: number) {
    this.#request = request
    this.#count = count
    this.#pauses = new Backoff(LOOK_LEAST_MS, LOOK_MOST_MS, request.site.environment.random)
  }

  async run(): Promise<LeaseKeeper[]> {
    try {
      for (;;) {
        this.#request.beginRound()
        const soonestMs = await this.#takeFree()
        if (this.#lacking() === 0) return [...this.#had].sort(([a], [b]) => a - b).map(([, keeper]) => keeper)
        if (this.#request.leftMs() === 0) throw this.#request.failure()
        await this.#wait(soonestMs)
      }
    } catch (error) {
      await Promise.all(Array.from(this.#had.values(), (keeper) => keeper.release()))
      throw error
    }
  }

  /** How many are to be had yet. What was lost while others were waited for has to be had again. */
  #lacking(): number {
    for (const [slot, keeper] of this.#had) {
      if (keeper.ended() === undefined) continue
      this.#had.delete(slot)
      void keeper.release()
    }
    return this.#count - this.#had.size
  }

  /** The milliseconds until a slot that is held may come free by itself. */
  async #takeFree(): Promise<number> {
    const seen = await lookAtSlots(this.#request, this.#sample())
    const free = seen.filter(({ found }) => found === undefined).map(({ slot }) => slot)
    // Who cannot wait for the rest leaves alone what is free.
    if (this.#request.leftMs() === 0 && free.length < this.#lacking()) free.length = 0
    for (let lacking = this.#lacking(); lacking > 0 && free.length > 0; lacking = this.#lacking()) {
      await allOf(free.splice(0, lacking).map((slot) => this.#claim(slot, 0)))
    }
    return Math.min(...seen.map(({ found }) => found?.leftMs ?? LOOK_MOST_MS), LOOK_MOST_MS)
  }

  /** In the queues of as many slots as it lacks or, where there are none, doing nothing for a while. */
  async #wait(soonestMs: number): Promise<void> {
    const leftMs = this.#request.leftMs()
    const pauseMs = Math.min(this.#pauses.next(), Math.max(1, soonestMs), leftMs)
    if (this.#queues && (await this.#waitInQueues(pauseMs, leftMs))) return
    await pause(this.#request.site.environment, pauseMs, this.#request.signal, true)
  }

  /** False where nobody was queued. */
  async #waitInQueues(lookMs: number, leftMs: number): Promise<boolean> {
    const others = this.#others()
    const lacking = this.#lacking()
    const waitMs = lacking === others.length ? Math.min(NEEDS_ALL_MS, leftMs) : lookMs
    const some = others.slice(0, Math.min(lacking, WAITS_AT_ONCE))
    const results = await allOf(some.map((slot) => this.#claim(slot, waitMs)))
    if (results.some((result) => result.status === 'held' || (result.status === 'busy' && result.queued))) return true
    if (waitMs >= 1 && results.some(({ status }) => status === 'busy')) this.#queues = false
    return false
  }

  async #claim(slot: number, waitMs: number): Promise<Claimed> {
    const result = await claimSlot(this.#request, slot, waitMs)
    if (result.status === 'held') this.#had.set(slot, keepMeanwhile(this.#request.site, result.held))
    return result
  }

  /** Of very many slots some at a time, others the next time; but at the end all. */
  #sample(): number[] {
    const most = this.#request.leftMs() === 0 ? MOST_SLOTS : Math.max(LOOKS_AT_ONCE, this.#lacking())
    return this.#others().slice(0, most)
  }

  /** Those that it does not have, in a random order. */
  #others(): number[] {
    const { places, site } = this.#request
    const all = [...places.slots.keys()].filter((slot) => !this.#had.has(slot))
    return shuffle(all, site.environment.random)
  }
}
