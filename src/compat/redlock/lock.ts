/** A held lock, as callers of redlock have it. */
import type { LockGroup } from '../../locks/index.js'
import type { ExecutionResult } from './execution.js'
import type { Redlock } from './redlock.js'

/**
 * Made by `acquire` and `extend`. It cannot be made from a `value`: to go on with a lock in another process there are `serialize`
 * and `restore` of latchkey/locks.
 */
export class Lock {
  readonly redlock: Redlock
  readonly resources: string[]
  readonly attempts: ExecutionResult['attempts']
  /** What redlock has not: fences, the signal, `assertHeld`, of one lock for each resource, sorted by name. */
  readonly group: LockGroup
  readonly #driftMs: number
  #isReplaced = false

  /** @internal */
  constructor(
    redlock: Redlock,
    resources: readonly string[],
    group: LockGroup,
    attempts: ExecutionResult['attempts'],
    driftMs: number,
  ) {
    this.redlock = redlock
    this.resources = [...resources]
    this.group = group
    this.attempts = attempts
    this.#driftMs = driftMs
  }

  /** 32 hexadecimal digits, as the server has them; of several resources, those of the first by name. Stays over extensions. */
  get value(): string {
    return this.group.locks[0].owner
  }

  /**
   * Until when it may be believed in: Unix time in milliseconds, by the clock as it is set now. 0 when it is released, extended (the
   * new lock has its own), or lost, which is known here also before any timer has run.
   */
  get expiration(): number {
    const leftMs = this.group.remainingMs() - this.#driftMs
    return this.#isReplaced || leftMs <= 0 ? 0 : Math.floor(Date.now() + leftMs)
  }

  /** As `redlock.release(lock)`. */
  release(): Promise<ExecutionResult> {
    return this.redlock.release(this)
  }

  /** As `redlock.extend(lock, duration)`: `lock = await lock.extend(5000)`. */
  extend(duration: number): Promise<Lock> {
    return this.redlock.extend(this, duration)
  }

  /** @internal */
  replace(attempts: ExecutionResult['attempts'], driftMs: number): Lock {
    this.#isReplaced = true
    return new Lock(this.redlock, this.resources, this.group, attempts, driftMs)
  }
}
