/**
 * Records from a time that has not come yet, by this machine's clock. Another's is ahead, and while that one runs the job it is left
 * to it. When it does so no more, all others would wait until its time has come, which may be in a year. Which of two clocks is
 * wrong nobody can tell; that nothing has been written for a whole period is seen without comparing them.
 */
import type { Clock, Version } from '../../driver.js'

export class Foresight {
  readonly #clock: Clock
  /** By key: what was seen there, and since when, by the clock that is never set. */
  readonly #seen = new Map<string, { readonly version: Version; readonly since: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Has the register had this version for so long that it counts no more? undefined: what it has is not ahead. */
  isStale(key: string, version: Version | undefined, everyMs: number): boolean {
    const now = this.#clock.now()
    const seen = this.#seen.get(key)
    if (version !== undefined && seen?.version === version) return now - seen.since >= everyMs
    if (version === undefined) this.#seen.delete(key)
    else this.#seen.set(key, { version, since: now })
    return false
  }
}
