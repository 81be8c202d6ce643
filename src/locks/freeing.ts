/** Releasing a lease on the server, through lost replies. */
import { Backoff } from '../time/index.js'
import type { Held } from './belief.js'
import type { Call, Version } from './driver.js'
import { OutcomeUnknownError } from './errors.js'
import { pause } from './pause.js'
import { callOf, type Site } from './site.js'
import { sweep } from './sweep.js'
import type { ReleaseOutcome } from './types.js'

const LEAST_MS = 10
const MOST_MS = 250

/**
 * Settles within two deadlines, so that a lost reply can be followed by a question. What the server has not answered by then goes on in
 * the background until the lease ends by itself. `inDoubt`: an extension may have changed the version. Ends the chore that its
 * caller has begun.
 */
export async function free(site: Site, held: Held, inDoubt: boolean): Promise<ReleaseOutcome> {
  const freeing = new Freeing(site, held, inDoubt)
  try {
    return (await freeing.tryOnce()) ?? (await freeing.tryAgain())
  } finally {
    site.chores.end()
  }
}

class Freeing {
  readonly #site: Site
  readonly #held: Held
  readonly #giveUpAt: number
  #inDoubt: boolean
  /** A deletion that was sent while the lease was believed may have been carried out. */
  #mayBeDone = false

  constructor(site: Site, held: Held, inDoubt: boolean) {
    this.#site = site
    this.#held = held
    this.#giveUpAt = site.environment.clock.now() + 2 * site.deadlineMs
    this.#inDoubt = inDoubt
  }

  /** undefined when the server did not tell. */
  async tryOnce(): Promise<ReleaseOutcome | undefined> {
    const { driver, environment } = this.#site
    const { key } = this.#held.lease
    let deletedAt: number | undefined
    try {
      const version = this.#inDoubt ? await this.#versionThere() : this.#held.lease.version
      // Not there any more: by our own hand if the lost reply was that of a deletion in time.
      if (version === undefined) return this.#mayBeDone ? 'released' : 'lost'
      deletedAt = environment.clock.now()
      if (await driver.release(key, version, this.#call())) return 'released'
      return this.#inDoubt ? undefined : 'lost'
    } catch (error) {
      if (deletedAt !== undefined && error instanceof OutcomeUnknownError) {
        this.#inDoubt = true
        this.#mayBeDone ||= deletedAt < this.#held.validUntil
      }
      return undefined
    }
  }

  async tryAgain(): Promise<ReleaseOutcome> {
    const { environment, chores } = this.#site
    const { key, holder } = this.#held.lease
    const backoff = new Backoff(LEAST_MS, MOST_MS, environment.random)
    for (;;) {
      const leftMs = this.#giveUpAt - environment.clock.now()
      if (leftMs <= 0 || chores.hurry.aborted) break
      await pause(environment, Math.min(backoff.next(), leftMs), chores.hurry, true).catch(() => {})
      const outcome = await this.tryOnce()
      if (outcome !== undefined) return outcome
    }
    sweep(this.#site, { key, owner: holder.owner, until: environment.clock.now() + this.#held.ttlMs })
    return 'unknown'
  }

  /** As the server has it; undefined when the lock is not ours. */
  async #versionThere(): Promise<Version | undefined> {
    const { key, holder } = this.#held.lease
    const found = await this.#site.driver.find(key, this.#call())
    return found?.holder.owner === holder.owner ? found.version : undefined
  }

  #call(): Call {
    return callOf(this.#site, undefined, Math.max(1, this.#giveUpAt - this.#site.environment.clock.now()))
  }
}
