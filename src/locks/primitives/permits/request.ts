/** One who asks for permits: what for, until when, and what it has learned on the way. */
import type { Found } from '../../driver.js'
import {
  LockAmbiguousError,
  LockBusyError,
  LockError,
  LockUnavailableError,
  LockWaitTimeoutError,
  OutcomeUnknownError,
} from '../../errors.js'
import { lockInfo } from '../../info.js'
import { named } from '../../naming.js'
import type { Wanted } from '../../settings.js'
import type { Site } from '../../site.js'
import type { Asking } from '../../trace.js'
import type { LockInfo } from '../../types.js'
import type { Places } from './places.js'

export class PermitRequest {
  readonly site: Site
  readonly places: Places
  /** What each permit is to be like. */
  readonly wanted: Wanted
  /** When the waiting is over, or AT_ONCE. */
  readonly until: number
  /** Ends it all. */
  readonly signal: AbortSignal
  /** Who follows it. */
  readonly asked: Asking | undefined
  /** Somebody who had a permit when that was last looked at; else who is before us. */
  #holder: LockInfo | undefined
  #before: LockInfo | undefined
  #isBusy = false
  #error: unknown

  constructor(site: Site, places: Places, wanted: Wanted, until: number, signal: AbortSignal, asked?: Asking) {
    this.site = site
    this.places = places
    this.wanted = wanted
    this.until = until
    this.signal = signal
    this.asked = asked
  }

  /** 0 for those who do not wait, too. */
  leftMs(): number {
    return Math.max(0, this.until - this.site.environment.clock.now())
  }

  /** What was learned of servers before says nothing about this round. */
  beginRound(): void {
    this.#isBusy = false
    this.#error = undefined
  }

  /** Another has a slot. */
  noteBusy(found: Found | undefined): void {
    this.#isBusy = true
    if (found !== undefined) this.#holder = lockInfo(found, this.site.prefix)
  }

  /** Another has the gate. */
  noteBefore(found: Found): void {
    this.#isBusy = true
    this.#before = lockInfo(found, this.site.prefix)
  }

  /** A slot cannot be had for another reason than that somebody has it. */
  noteError(error: unknown): void {
    if (this.#error instanceof LockAmbiguousError) return
    // For one that only looks, not knowing the outcome is having none.
    this.#error = error instanceof OutcomeUnknownError ? this.unavailable('the server did not answer', error) : error
  }

  /** Why there was no permit in this round. Servers that cannot be asked take their slots away, and no more: what is left was busy. */
  failure(): unknown {
    if (this.#isBusy || this.#error === undefined) return this.#busy(undefined)
    return this.named(this.#error)
  }

  /** What one of the locks behind it could not do, told of the whole. */
  named(error: unknown): unknown {
    const { name } = this.places
    if (!(error instanceof LockError) || error.lock === name) return error
    if (error instanceof LockBusyError || error instanceof LockWaitTimeoutError) return this.#busy(error.holder)
    if (!(error instanceof LockAmbiguousError)) return named(name, error)
    const cause = error.cause ?? error
    return new LockAmbiguousError(name, cause instanceof Error ? cause.message : String(cause), { cause: error })
  }

  unavailable(why: string, cause: unknown): LockUnavailableError {
    return new LockUnavailableError(this.places.name, why, { cause })
  }

  #busy(holder: LockInfo | undefined): Error {
    const { places, wanted } = this
    const who = this.#holder ?? this.#before ?? holder
    if (wanted.waitMs === 0) return new LockBusyError(places.name, who)
    return new LockWaitTimeoutError(places.name, wanted.waitMs, who)
  }
}
