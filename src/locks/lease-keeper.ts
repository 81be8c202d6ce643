/**
 * Keeps one lease: renews it, believes in it no longer than it may, and ends it. Everything that is sent for a lock goes
 * through one queue: a release waits for the renewal in flight, and no renewal starts once a release was asked for.
 */
import { Backoff } from '../time/index.js'
import type { Appointment } from './agenda.js'
import { believe, type Held, validUntil } from './belief.js'
import type { Extender } from './diagnostics.js'
import { Ending } from './ending.js'
import { type LockLostError, LockUnavailableError } from './errors.js'
import { extendOnce } from './extension.js'
import { free } from './freeing.js'
import type { Keeper, Keeping } from './keeper.js'
import { pause } from './pause.js'
import type { Site } from './site.js'
import { sweep } from './sweep.js'
import type { LockState, ReleaseOutcome } from './types.js'

/** One who does not renew because it is not wanted asks again after so long. */
const LOOK_MS = 500
/** Timers are late: so much before its end a lease that has not been renewed is lost, and told of in time. */
const TELL_MS = 2
const OVER = 'its lease is over'
/** Between the tries of one `extend`. */
const RETRY_LEAST_MS = 10
const RETRY_MOST_MS = 250

export class LeaseKeeper implements Keeper {
  readonly #site: Site
  readonly #keeping: Keeping
  readonly #renewUntil: number
  /** Most renewals succeed. */
  #retries: Backoff | undefined
  readonly #ending: Ending
  #held: Held
  #releasing: Promise<ReleaseOutcome> | undefined
  /** The last extension failed. */
  #suspect: boolean
  /** One may have been carried out, or may yet be, that nobody answered. */
  #inDoubt: boolean
  /** The server said that it is not ours. */
  #gone = false
  /** What the last one in the queue will be done with; undefined: nothing is in flight. */
  #queue: Promise<unknown> | undefined
  #renewing = false
  #renewAt: number
  #next: Appointment | undefined

  constructor(site: Site, held: Held, keeping: Keeping) {
    const { renew, maxHoldMs, inDoubt = false } = keeping
    this.#site = site
    this.#keeping = keeping
    this.#ending = new Ending(held.lease.name, (state, why) => {
      this.#disarm()
      keeping.onEnd(state, why)
    })
    this.#inDoubt = inDoubt
    this.#suspect = inDoubt
    this.#held = held
    this.#renewUntil = renew ? held.lease.from + maxHoldMs : Number.NEGATIVE_INFINITY
    this.#renewAt = inDoubt ? held.lease.from : renewAt(held)
    this.#arm()
  }

  get held(): Held {
    return this.#held
  }

  get signal(): AbortSignal {
    return this.#ending.signal
  }

  get state(): LockState {
    this.ended()
    return this.#ending.state ?? (this.#suspect ? 'suspect' : 'held')
  }

  remainingMs(): number {
    return this.ended() === undefined ? this.#held.validUntil - this.#now() : 0
  }

  /** Looks at the clock itself: after a stall no timer has run yet. */
  ended(): LockLostError | undefined {
    if (this.#now() >= this.#held.validUntil) this.#ending.end('lost', OVER)
    return this.#ending.error
  }

  async extend(ttlMs: number): Promise<void> {
    this.#throwIfEnded()
    return this.#inTurn(() => this.#extendSurely(ttlMs))
  }

  release(): Promise<ReleaseOutcome> {
    this.#releasing ??= this.#startRelease()
    return this.#releasing
  }

  detach(): void {
    this.#ending.end('released', 'it was handed over')
    this.#keeping.onDetach?.()
    this.#releasing ??= Promise.resolve('lost')
  }

  /**
   * As `detach`, once nothing is in flight: what it gives is what the server has, for another to keep. Rejects with LockLostError, or
   * LockUnavailableError where the server does not tell.
   */
  handOver(): Promise<Held> {
    return this.#inTurn(async () => {
      if (this.#inDoubt) await this.#extendSurely(this.#held.ttlMs)
      this.#throwIfEnded()
      this.detach()
      return this.#held
    })
  }

  #startRelease(): Promise<ReleaseOutcome> {
    if (this.ended() !== undefined) {
      // Over by our clock, but the server may have it a little longer, or much longer if it got a renewal late.
      if (!this.#gone) this.#sweep()
      return Promise.resolve('lost')
    }
    // The belief ends now: the server may carry the deletion out at any moment from here on.
    this.#ending.end('released', 'it was released')
    this.#site.chores.begin()
    const freed = this.#inTurn(() => free(this.#site, this.#held, this.#inDoubt))
    this.#keeping.onRelease?.(freed)
    return freed
  }

  async #extendSurely(ttlMs: number): Promise<void> {
    const { clock, random } = this.#site.environment
    const giveUpAt = clock.now() + 2 * this.#site.deadlineMs
    const backoff = new Backoff(RETRY_LEAST_MS, RETRY_MOST_MS, random)
    for (;;) {
      this.#throwIfEnded()
      const cause = await this.#tryExtend(ttlMs, 'caller')
      this.#throwIfEnded()
      if (cause === undefined) return
      const leftMs = giveUpAt - clock.now()
      if (leftMs <= 0) {
        throw new LockUnavailableError(this.#held.lease.name, 'the server did not answer the extension', { cause })
      }
      await pause(this.#site.environment, Math.min(backoff.next(), leftMs), this.#ending.signal, true).catch(() => {})
    }
  }

  /** undefined when it was extended, or is lost; else why not, and the lease runs on. */
  async #tryExtend(ttlMs: number, by: Extender): Promise<unknown> {
    const askedAt = this.#now()
    this.#expectLess(ttlMs, askedAt)
    const { lease } = this.#held
    const result = await extendOnce(this.#site, lease, ttlMs, this.#inDoubt, this.#held.ttlMs / 3)
    this.#keeping.onExtension?.(result, by, ttlMs, askedAt)
    if (result.status === 'gone') {
      this.#gone = true
      this.#ending.end('lost', 'the server has it no more, or another has it')
      return undefined
    }
    if (result.status === 'failed') {
      this.#held = { ...this.#held, lease: result.lease }
      this.#inDoubt = result.inDoubt
      this.#suspect = true
      this.#renewAt = this.#now() + this.#nextRetry()
      this.#changed()
      return result.error ?? new Error('the version had changed')
    }
    this.#adopt(believe(result.lease, ttlMs))
    return undefined
  }

  #adopt(held: Held): void {
    // An answer that comes after the end of what was believed changes nothing any more: lost is lost for good.
    this.ended()
    this.#held = held
    this.#renewAt = renewAt(held)
    this.#suspect = false
    this.#inDoubt = false
    this.#retries = undefined
    this.#changed()
  }

  #nextRetry(): number {
    const { ttlMs } = this.#held
    this.#retries ??= new Backoff(ttlMs / 100, ttlMs / 10, this.#site.environment.random)
    return this.#retries.next()
  }

  #changed(): void {
    this.#keeping.onChange?.()
    this.#arm()
  }

  /** A shorter lease counts from when it is sent: it may be granted, and the answer lost. */
  #expectLess(ttlMs: number, sentAt: number): void {
    const end = validUntil(sentAt, ttlMs, this.#held.lease.granularityMs)
    if (end >= this.#held.validUntil) return
    this.#held = { ...this.#held, validUntil: end }
    this.#changed()
  }

  #wake = (): void => {
    if (this.#now() >= this.#tellAt) this.#ending.end('lost', OVER)
    if (this.#ending.state !== undefined) return
    if (this.#isRenewing() && this.#now() >= this.#renewAt) this.#renew()
    this.#arm()
  }

  #isRenewing(): boolean {
    const { isWanted = () => true } = this.#keeping
    return !this.#renewing && this.#now() < this.#renewUntil && isWanted()
  }

  #renew(): void {
    this.#renewing = true
    const renewal = this.#inTurn(async () => {
      if (this.ended() === undefined) await this.#tryExtend(this.#held.ttlMs, 'renewal')
    })
    renewal.finally(() => {
      this.#renewing = false
      this.#arm()
    })
  }

  #arm(): void {
    this.#disarm()
    if (this.#ending.state !== undefined) return
    const next = Math.min(this.#tellAt, this.#isRenewing() ? this.#renewAt : this.#lookAgainAt())
    this.#next = this.#site.agenda.add(next, this.#wake)
  }

  /** Who is not wanted now may be wanted again before the lease is over: nobody tells. */
  #lookAgainAt(): number {
    const { isWanted = () => true } = this.#keeping
    return isWanted() ? Number.POSITIVE_INFINITY : this.#now() + LOOK_MS
  }

  #disarm(): void {
    if (this.#next !== undefined) this.#site.agenda.cancel(this.#next)
  }

  get #tellAt(): number {
    return this.#held.validUntil - TELL_MS
  }

  #sweep(): void {
    const { lease, ttlMs } = this.#held
    sweep(this.#site, { key: lease.key, owner: lease.holder.owner, until: this.#now() + ttlMs })
  }

  #throwIfEnded(): void {
    const error = this.ended()
    if (error !== undefined) throw error
  }

  /** After what is in flight, whatever becomes of that. */
  #inTurn<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#queue === undefined ? operation() : this.#queue.then(operation)
    const done = () => {
      if (this.#queue === settled) this.#queue = undefined
    }
    const settled: Promise<void> = result.then(done, done)
    this.#queue = settled
    return result
  }

  #now(): number {
    return this.#site.environment.clock.now()
  }
}

/** A third of the lease; earlier where half of what may be believed is less. */
function renewAt({ lease, ttlMs, validUntil }: Held): number {
  return lease.from + Math.min(ttlMs / 3, (validUntil - lease.from) / 2)
}
