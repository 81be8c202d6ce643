/** One lock from its grant to its end, as the locks that gave it have it: its place among those that are held, and who is told. */
import type { Bag, Place } from './bag.js'
import { channels, type Extender } from './diagnostics.js'
import type { Lease } from './driver.js'
import type { ExtensionResult, Keeping } from './keeper.js'
import type { Lock } from './lock.js'
import type { Wanted } from './settings.js'
import type { Site } from './site.js'
import { type Asking, Trace } from './trace.js'
import type { ReleaseOutcome } from './types.js'

export class Tenure implements Keeping {
  readonly renew: boolean
  readonly maxHoldMs: number
  readonly #site: Site
  readonly #wanted: Wanted
  readonly #lease: Lease
  readonly #restored: boolean
  readonly #all: Bag<Lock>
  #trace: Trace | undefined
  #place: Place<Lock> | undefined
  #isOver = false

  /** `asking`: undefined where nobody has followed the acquisition. */
  constructor(site: Site, lease: Lease, wanted: Wanted, restored: boolean, all: Bag<Lock>, asking: Asking | undefined) {
    this.renew = wanted.renew !== false
    this.maxHoldMs = wanted.maxHoldMs
    this.#site = site
    this.#lease = lease
    this.#wanted = wanted
    this.#restored = restored
    this.#all = all
    this.#trace = asking
    // Before there is a keeper: that may find at once that the lease is over.
    asking?.granted(lease)
  }

  /** Among those that are to be released in the end. */
  enter(lock: Lock): void {
    this.#place = this.#all.add(lock)
  }

  onEnd(state: 'lost' | 'released', why: string): void {
    this.#isOver = true
    if (this.#place !== undefined) this.#all.remove(this.#place)
    if (state === 'lost' && channels.lost.hasSubscribers) this.#followed().lost(why, this.#heldMs())
  }

  onRelease(freed: Promise<ReleaseOutcome>): void {
    if (!channels.release.hasSubscribers) return
    const heldMs = this.#heldMs()
    void freed.then((outcome) => this.#followed().released(outcome, heldMs))
  }

  onDetach(): void {
    if (channels.release.hasSubscribers) this.#followed().released('detached', this.#heldMs())
  }

  onExtension({ status, error }: ExtensionResult, by: Extender, ttlMs: number, askedAt: number): void {
    // An answer that comes after the end changes nothing, and nothing is told after the end.
    if (!channels.extend.hasSubscribers || this.#isOver) return
    const ms = this.#now() - askedAt
    channels.extend.publish({ lock: this.#followed(), by, status, ttlMs, ms, error })
  }

  /** Made late for a lock that nobody followed when it was acquired. */
  #followed(): Trace {
    if (this.#trace === undefined) {
      this.#trace = new Trace(this.#site, this.#lease.name, this.#wanted, this.#restored)
      this.#trace.holds(this.#lease)
    }
    return this.#trace
  }

  #heldMs(): number {
    return this.#now() - this.#lease.from
  }

  #now(): number {
    return this.#site.environment.clock.now()
  }
}
