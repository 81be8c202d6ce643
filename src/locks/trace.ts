/** One acquisition as those who subscribe see it: written by the locks as it goes along. */
import { channels, type LockEvent } from './diagnostics.js'
import type { Lease } from './driver.js'
import type { Wanted } from './settings.js'
import type { Site } from './site.js'
import type { Guarantee, ReleaseOutcome } from './types.js'

export class Trace implements LockEvent {
  readonly name: string
  readonly driver: string
  readonly guarantee: Guarantee
  readonly ttlMs: number
  readonly maxHoldMs: number
  readonly restored: boolean
  waiting: 'queue' | 'poll' | undefined = undefined
  waitMs: number | undefined = undefined
  owner: string | undefined = undefined
  fence: bigint | undefined = undefined
  heldMs: number | undefined = undefined
  why: string | undefined = undefined
  outcome: ReleaseOutcome | 'detached' | undefined = undefined
  error: unknown = undefined

  constructor(site: Site, name: string, wanted: Wanted, restored: boolean) {
    this.name = name
    this.driver = site.driver.kind
    this.guarantee = wanted.guarantee
    this.ttlMs = wanted.ttlMs
    this.maxHoldMs = wanted.maxHoldMs
    this.restored = restored
  }

  waits(how: 'queue' | 'poll'): void {
    // Who leaves the queue and asks again has been waiting before.
    if (this.waiting !== undefined) return
    this.waiting = how
    channels.wait.publish(this)
  }

  holds({ holder, fence }: Lease): void {
    this.owner = holder.owner
    this.fence = this.guarantee === 'fenced' ? fence : undefined
  }

  lost(why: string, heldMs: number): void {
    this.why = why
    this.heldMs = heldMs
    channels.lost.publish(this)
  }

  released(outcome: ReleaseOutcome | 'detached', heldMs: number): void {
    this.outcome = outcome
    this.heldMs = heldMs
    channels.release.publish(this)
  }
}

/** One that somebody follows from its beginning. */
export class Asking extends Trace {
  readonly #site: Site
  readonly #askedAt: number

  constructor(site: Site, name: string, wanted: Wanted, restored: boolean) {
    super(site, name, wanted, restored)
    this.#site = site
    this.#askedAt = site.environment.clock.now()
    channels.acquire.publish(this)
  }

  /** Settles as `acquired` does. */
  async until<T>(acquired: Promise<T>): Promise<T> {
    try {
      return await acquired
    } catch (error) {
      // What was granted and given back, since others could not be had with it, has a release to tell of.
      if (this.owner === undefined) this.#failed(error)
      throw error
    }
  }

  granted(lease: Lease): void {
    this.holds(lease)
    this.#wait()
    channels.grant.publish(this)
  }

  #failed(error: unknown): void {
    this.error = error
    this.#wait()
    channels.error.publish(this)
  }

  #wait(): void {
    this.waitMs = this.#site.environment.clock.now() - this.#askedAt
  }
}

/** undefined where nobody wants to know what becomes of it. */
export function asking(site: Site, name: string, wanted: Wanted, restored = false): Asking | undefined {
  const { acquire, wait, grant, error } = channels
  if (!acquire.hasSubscribers && !wait.hasSubscribers && !grant.hasSubscribers && !error.hasSubscribers)
    return undefined
  return new Asking(site, name, wanted, restored)
}
