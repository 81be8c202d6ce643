/** Slots and their gate, as semaphores and read-write locks use them. */
import { AT_ONCE } from '../../acquire.js'
import type { Held } from '../../belief.js'
import { LockUnavailableError } from '../../errors.js'
import { lockInfo } from '../../info.js'
import type { LeaseKeeper } from '../../lease-keeper.js'
import { linked } from '../../linked.js'
import type { Lock } from '../../lock.js'
import { look } from '../../looking.js'
import type { Wanted } from '../../settings.js'
import { asking } from '../../trace.js'
import type { LockInfo } from '../../types.js'
import type { Ground, Terms } from '../ground.js'
import { collect } from './collecting.js'
import { inTurn, waitingAtGate } from './gate.js'
import { Hints } from './hints.js'
import type { Places } from './places.js'
import { tryQuickly } from './quick.js'
import { PermitRequest } from './request.js'
import { settle } from './settling.js'
import { lookAtSlots } from './slots.js'

/** As the servers have it; it may have changed when it is read. */
export interface PermitsInfo {
  /** Who holds a permit, in the order of these. One that writes has all of them. */
  readonly holders: readonly LockInfo[]
  /** Who is in the gate: it writes, or is the next to have a permit. Its `waiters` are those behind it. */
  readonly gate: LockInfo | undefined
  /** Permits of which nobody knows: their servers do not tell. */
  readonly unknown: number
}

export class Turnstile {
  readonly places: Places
  readonly #ground: Ground
  readonly #hints = new Hints()

  constructor(ground: Ground, places: Places) {
    this.#ground = ground
    this.places = places
  }

  permit(terms: Terms): Promise<Lock> {
    return this.#asking(terms.wanted, async (request) => {
      const held = await tryQuickly(request, this.#hints)
      if (held !== undefined) return this.#keep(held, request, terms)
      if (terms.wanted.waitMs === 0) throw request.failure()
      const detour = {
        find: () => tryQuickly(request, this.#hints),
        take: (held: Held) => this.#keep(held, request, terms),
      }
      const waiting = waitingAtGate(terms.wanted)
      return inTurn(request, waiting, async (gate, inner) => (await this.#collect(gate, inner, 1, terms))[0], detour)
    })
  }

  /** Several at once, which only who holds the gate may wait for. */
  permits(terms: Terms, count: number): Promise<Lock[]> {
    return this.#asking(terms.wanted, (request) =>
      inTurn(request, waitingAtGate(terms.wanted), (gate, inner) => this.#collect(gate, inner, count, terms)),
    )
  }

  /** The gate first, and all permits: nobody else has any of it. */
  everything(gateTerms: Terms, terms: Terms): Promise<Lock[]> {
    return this.#asking(terms.wanted, (request) =>
      inTurn(request, gateTerms.wanted, async (gate, inner) => {
        const keepers = await collect(inner, this.places.slots.length)
        return settle(this.#ground, inner, [gate, ...keepers], (at) => (at === 0 ? gateTerms : terms))
      }),
    )
  }

  /** Rejects with LockUnavailableError when nobody tells. */
  async inspect(): Promise<PermitsInfo> {
    const { site, defaults, closing } = this.#ground
    const { gate, slots } = this.places
    const request = new PermitRequest(site, this.places, defaults, AT_ONCE, closing)
    const [seen, first] = await Promise.all([
      lookAtSlots(request, [...slots.keys()]),
      look(site, gate).catch((error) => {
        if (error instanceof LockUnavailableError) return undefined
        throw error
      }),
    ])
    if (seen.length === 0) throw request.failure()
    const holders = seen.flatMap(({ found }) => (found === undefined ? [] : [lockInfo(found, site.prefix)]))
    return { holders, gate: first && lockInfo(first, site.prefix), unknown: slots.length - seen.length }
  }

  async #collect(gate: LeaseKeeper, request: PermitRequest, count: number, terms: Terms): Promise<Lock[]> {
    const keepers = await collect(request, count)
    // Before they are looked at for the last time: a server that does not answer may take a while.
    await gate.release()
    return this.#own(await settle(this.#ground, request, keepers, () => terms))
  }

  async #keep(held: Held, { signal, asked }: PermitRequest, terms: Terms): Promise<Lock> {
    const [lock] = this.#own([this.#ground.keep(held, terms, asked)])
    if (!signal.aborted) return lock
    await lock.release()
    throw signal.reason
  }

  #own(locks: Lock[]): Lock[] {
    for (const lock of locks) this.#hints.noteOwn(this.places.slots.indexOf(lock.name), lock)
    return locks
  }

  async #asking<T>(wanted: Wanted, body: (request: PermitRequest) => Promise<T>): Promise<T> {
    const { site, closing, ready } = this.#ground
    closing.throwIfAborted()
    await ready(wanted)
    const { signal, unlink } = linked(closing, wanted.signal)
    const until = wanted.waitMs === 0 ? AT_ONCE : site.environment.clock.now() + wanted.waitMs
    const asked = asking(site, this.places.name, wanted)
    const request = new PermitRequest(site, this.places, wanted, until, signal, asked)
    const acquired = body(request).catch((error) => {
      throw signal.aborted && error === signal.reason ? error : request.named(error)
    })
    // One that `close` ends has things to give back first.
    site.chores.begin()
    try {
      return await (asked?.until(acquired) ?? acquired)
    } finally {
      unlink()
      site.chores.end()
    }
  }
}
