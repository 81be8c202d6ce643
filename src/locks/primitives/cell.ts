/** One register with what it holds as its users see it: read, and changed only by who has seen what is there. */
import { Backoff } from '../../time/index.js'
import type { Registers, Version } from '../driver.js'
import { LockAmbiguousError, LockUnavailableError, OutcomeUnknownError } from '../errors.js'
import { named } from '../naming.js'
import { pause } from '../pause.js'
import { callOf, mayPass, type Site } from '../site.js'
import { type Base, registersOf } from './base.js'

const RETRY_LEAST_MS = 5
const RETRY_MOST_MS = 100
/** How long an answer is asked for, in deadlines of one request. */
const PATIENCE = 2

export interface Seen<S> {
  /** undefined: nothing is there. */
  readonly state: S | undefined
  readonly version: Version | undefined
}

export interface CellOptions<S> {
  /** Part of the key, so that primitives of one name have registers of their own: `once`, `barrier`. */
  readonly kind: string
  readonly name: string
  readonly ttlMs: number
  /** undefined for text that nobody of ours has written. */
  readonly decode: (text: string) => S | undefined
  readonly encode: (state: S) => string
}

export class Cell<S> {
  readonly key: string
  readonly #site: Site
  readonly #registers: Registers
  readonly #options: CellOptions<S>

  /** Throws LockArgumentError where the driver has no registers. */
  constructor({ site }: Base, options: CellOptions<S>) {
    this.key = `${site.prefix}${options.kind}:${options.name}`
    this.#site = site
    this.#registers = registersOf(site, options.kind, options.name)
    this.#options = options
  }

  /** Rejects with LockUnavailableError when the server does not tell, or what is there is not ours. */
  async read(signal?: AbortSignal): Promise<Seen<S>> {
    const { name, kind, decode } = this.#options
    try {
      const there = await this.#registers.read(this.key, callOf(this.#site, signal))
      if (there === undefined) return { state: undefined, version: undefined }
      const state = decode(there.value)
      if (state !== undefined) return { state, version: there.version }
    } catch (error) {
      // For one that reads, not knowing the outcome is having none.
      if (!(error instanceof OutcomeUnknownError)) throw named(name, error)
      throw new LockUnavailableError(name, 'the server did not answer', { cause: error })
    }
    throw new LockUnavailableError(name, `what is stored as ${this.key} is not the state of a ${kind}`)
  }

  /** Once. Rejects with OutcomeUnknownError, too. */
  async swap(state: S, before: Version | undefined, signal?: AbortSignal): Promise<Version | undefined> {
    const { name, ttlMs, encode } = this.#options
    try {
      return await this.#registers.swap(this.key, encode(state), before, ttlMs, callOf(this.#site, signal))
    } catch (error) {
      throw named(name, error)
    }
  }

  /**
   * A swap that is asked for until it is known what became of it: undefined when somebody else was faster. Sent again, it is still
   * carried out once, since it names the version before it; whether that one is gone by itself or by another shows `isOurs`.
   * Rejects with LockUnavailableError or, if it may have been carried out, LockAmbiguousError, when nobody could tell by `until`.
   */
  async settle(
    state: S,
    before: Version | undefined,
    isOurs: (state: S | undefined) => boolean,
    until = this.#until(),
  ): Promise<Version | undefined> {
    const backoff = this.#backoff()
    let inDoubt = false
    for (;;) {
      try {
        const version = await this.swap(state, before)
        if (version !== undefined || !inDoubt) return version
        const seen = await this.read()
        return isOurs(seen.state) ? seen.version : undefined
      } catch (error) {
        inDoubt ||= error instanceof OutcomeUnknownError
        await this.#again(backoff, error, inDoubt, until)
      }
    }
  }

  /**
   * Makes of what is there what `step` says, and is asked again for whatever came in between; undefined: it is as it shall be. After a
   * lost reply, too, `step` has to know its own work. Resolves with what is there at last. Rejects as `settle`.
   */
  async change(step: (seen: Seen<S>) => S | undefined): Promise<S | undefined> {
    const backoff = this.#backoff()
    let until = this.#until()
    let inDoubt = false
    for (;;) {
      try {
        const seen = await this.read()
        const next = step(seen)
        if (next === undefined) return seen.state
        if ((await this.swap(next, seen.version)) !== undefined) return next
        // Somebody has got on: the server is there, and our turn will come.
        until = this.#until()
        await pause(this.#site.environment, backoff.next(), this.#site.chores.hurry, true).catch(() => {})
      } catch (error) {
        inDoubt ||= error instanceof OutcomeUnknownError
        await this.#again(backoff, error, inDoubt, until)
      }
    }
  }

  #until(): number {
    return this.#site.environment.clock.now() + PATIENCE * this.#site.deadlineMs
  }

  #backoff(): Backoff {
    return new Backoff(RETRY_LEAST_MS, RETRY_MOST_MS, this.#site.environment.random)
  }

  async #again(backoff: Backoff, error: unknown, inDoubt: boolean, until: number): Promise<void> {
    if (!mayPass(error)) throw error
    const { environment, chores } = this.#site
    const leftMs = until - environment.clock.now()
    if (leftMs <= 0 || chores.hurry.aborted) throw this.#failure(error, inDoubt)
    await pause(environment, Math.min(backoff.next(), leftMs), chores.hurry, true).catch(() => {})
  }

  #failure(cause: unknown, inDoubt: boolean): unknown {
    if (!inDoubt) return cause
    const why = cause instanceof Error ? cause.message : String(cause)
    return new LockAmbiguousError(this.#options.name, why, { cause }, `its ${this.#options.kind} was changed`)
  }
}
