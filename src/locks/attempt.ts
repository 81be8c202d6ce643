/** One attempt to take a lock: a fresh owner, one claim, and what its answer, or the want of one, means. */
import { believe, type Held } from './belief.js'
import { confirm } from './confirm.js'
import type { Claim, Found, Lease } from './driver.js'
import { LockArgumentError, LockUnavailableError, OutcomeUnknownError } from './errors.js'
import { named } from './naming.js'
import type { Wanted } from './settings.js'
import { callOf, mayPass, type Site } from './site.js'
import { sweep } from './sweep.js'

export type Result =
  | { readonly status: 'held'; readonly held: Held }
  | { readonly status: 'busy'; readonly found: Found | undefined; readonly queued: boolean }
  | { readonly status: 'unavailable'; readonly error: LockUnavailableError }

export class Attempt {
  readonly #site: Site
  readonly #wanted: Wanted
  readonly #claim: Claim
  readonly #signal: AbortSignal
  readonly #onQueued: (() => void) | undefined
  /** Something of ours may be on the server although we do not hold the lock. */
  #mayHaveLeft = false

  /** Waits in the server's queue, where there is one, for `waitMs` at most. */
  constructor(
    site: Site,
    name: string,
    wanted: Wanted,
    waitMs: number,
    signal: AbortSignal,
    onQueued: (() => void) | undefined,
  ) {
    const { environment, prefix } = site
    const { host, pid } = environment
    const { label, ttlMs, guarantee } = wanted
    const holder = { owner: environment.owner(), host, pid, label, since: environment.wallMs() }
    this.#site = site
    this.#wanted = wanted
    this.#claim = { key: prefix + name, name, holder, ttlMs, waitMs, guarantee }
    this.#signal = signal
    this.#onQueued = onQueued
  }

  /**
   * Whatever is not `held` has left nothing on the server, or it is being taken away. Throws the signal's reason,
   * LockAmbiguousError and LockArgumentError.
   */
  async make(): Promise<Result> {
    this.#signal.throwIfAborted()
    const askedAt = this.#now()
    try {
      const call = callOf(this.#site, this.#signal, this.#site.deadlineMs, this.#onQueued)
      const result = await this.#site.driver.claim(this.#claim, call)
      return result.status === 'busy' ? result : (this.#accept(result.lease) ?? (await this.#mend(result.lease)))
    } catch (failure) {
      return await this.#recover(named(this.#claim.name, failure), askedAt)
    } finally {
      if (this.#mayHaveLeft) this.#sweep()
    }
  }

  async #recover(error: unknown, askedAt: number): Promise<Result> {
    if (error instanceof LockUnavailableError) return { status: 'unavailable', error }
    try {
      if (!(error instanceof OutcomeUnknownError)) throw error
      this.#signal.throwIfAborted()
      return await this.#resolve(askedAt, error)
    } catch (reason) {
      // An abort, too: the claim was on its way, and may have been carried out.
      this.#mayHaveLeft = !(reason instanceof LockArgumentError)
      throw reason
    }
  }

  async #resolve(askedAt: number, cause: OutcomeUnknownError): Promise<Result> {
    const until = Math.max(askedAt + this.#claim.waitMs, this.#now() + this.#site.deadlineMs)
    const lease = await confirm(this.#site, this.#claim, until, this.#signal, cause, this.#wanted.onSetback)
    if (lease !== undefined) return this.#accept(lease) ?? this.#mend(lease)
    this.#mayHaveLeft = true
    return { status: 'busy', found: undefined, queued: false }
  }

  /** undefined where too little of the lease is left. */
  #accept(lease: Lease): Result | undefined {
    this.#signal.throwIfAborted()
    const held = believe(lease, this.#claim.ttlMs)
    return this.#isEnough(held) ? { status: 'held', held } : undefined
  }

  /** Answers that came slowly leave little of the lease. One extension may help. */
  async #mend(lease: Lease): Promise<Result> {
    const held = await this.#extended(lease)
    this.#signal.throwIfAborted()
    if (held !== undefined && this.#isEnough(held)) return { status: 'held', held }
    this.#mayHaveLeft = true
    const why = `the server answered so late that less than ${this.#wanted.minRemainingMs} ms of the lease were left`
    return { status: 'unavailable', error: new LockUnavailableError(this.#claim.name, why) }
  }

  async #extended(lease: Lease): Promise<Held | undefined> {
    const { ttlMs } = this.#claim
    try {
      const again = await this.#site.driver.extend(lease, ttlMs, callOf(this.#site, this.#signal))
      return again && believe(again, ttlMs)
    } catch (error) {
      if (mayPass(error)) return undefined
      throw error
    }
  }

  #isEnough({ validUntil }: Held): boolean {
    return validUntil - this.#now() >= this.#wanted.minRemainingMs
  }

  #sweep(): void {
    const { key, holder, ttlMs, waitMs } = this.#claim
    // A server that has not heard of our end may keep it in its queue, and begin the lease only then.
    sweep(this.#site, { key, owner: holder.owner, until: this.#now() + waitMs + ttlMs })
  }

  #now(): number {
    return this.#site.environment.clock.now()
  }
}
