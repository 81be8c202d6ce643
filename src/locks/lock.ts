/** A held lock, as its user has it. */

import type { Span } from '../time/index.js'
import { LockArgumentError, LockLostError } from './errors.js'
import type { Keeper } from './keeper.js'
import { ttlOf } from './settings.js'
import { writeTicket } from './ticket.js'
import type { Guarantee, LockState, ReleaseOutcome } from './types.js'

/** Made by `acquire`. Release it: `await using lock = …` does. */
export class Lock implements AsyncDisposable {
  readonly #keeper: Keeper
  readonly #guarantee: Guarantee
  readonly #unfenced: string | undefined

  /** @internal `unfenced`: why it has no fence, where that is not for its guarantee. */
  constructor(keeper: Keeper, guarantee: Guarantee, unfenced?: string) {
    this.#keeper = keeper
    this.#guarantee = guarantee
    this.#unfenced = unfenced
  }

  get name(): string {
    return this.#keeper.held.lease.name
  }

  /** The owner token of this acquisition: 32 hexadecimal digits. */
  get owner(): string {
    return this.#keeper.held.lease.holder.owner
  }

  get guarantee(): Guarantee {
    return this.#guarantee
  }

  /**
   * Greater than the fence of every earlier holder of this name: hand it to what you write to, and let that refuse smaller ones.
   * Throws LockArgumentError for a lock whose guarantee is not `fenced`, so that none is taken for one by mistake.
   */
  get fence(): bigint {
    const { fence, name } = this.#keeper.held.lease
    if (fence !== undefined && this.#guarantee === 'fenced') return fence
    const why = this.#unfenced ?? `it was acquired with guarantee ${this.#guarantee}`
    throw new LockArgumentError(`${name} has no fence: ${why}`, name)
  }

  /** Aborts with the LockLostError when the lease is lost, at its end at the latest. A release does not abort it. */
  get signal(): AbortSignal {
    return this.#keeper.signal
  }

  get state(): LockState {
    return this.#keeper.state
  }

  /** Milliseconds that it may still be believed in without renewal; 0 when it is lost or released. */
  remainingMs(): number {
    return this.#keeper.remainingMs()
  }

  /**
   * Throws LockLostError when the lock is not held any more, or with less than `minMs` milliseconds left. It asks the clock, not
   * the server, and is right also when this thread was blocked and no timer has run: call it before what cannot be undone.
   */
  assertHeld(minMs = 0): void {
    const ended = this.#keeper.ended()
    if (ended !== undefined) throw ended
    const leftMs = this.remainingMs()
    if (leftMs < minMs) throw new LockLostError(this.name, `${Math.floor(leftMs)} ms are left, fewer than ${minMs}`)
  }

  /**
   * Begins a new lease now, of `ttl` (default: as before), which is also what is renewed from then on. Rejects with LockLostError
   * when the lock is not ours any more, and with LockUnavailableError when the server does not answer: then the lease runs
   * on as it was or, if `ttl` is shorter, as if it had been granted.
   */
  async extend(ttl?: Span): Promise<void> {
    await this.#keeper.extend(ttl === undefined ? this.#keeper.held.ttlMs : ttlOf(ttl))
  }

  /** Never rejects, and can be called again: it tells what became of the first. Waits for a renewal in flight. */
  release(): Promise<ReleaseOutcome> {
    return this.#keeper.release()
  }

  /**
   * Releases when `work` has settled, and settles as that does: for a lock that must outlive a function, such as until a
   * transaction is committed. It is renewed meanwhile. When it was lost before the work was done, `state` is `lost`; the
   * work's own result is told all the same, since it has happened.
   */
  async releaseAfter<T>(work: PromiseLike<T>): Promise<T> {
    try {
      return await work
    } finally {
      await this.release()
    }
  }

  /**
   * Text from which `restore` of another process makes this lock. This one goes on being renewed here; with `detach` it is
   * left alone from now on, neither renewed nor released, and is `released` as far as this process goes. Only one
   * process should use it: the extensions of one make the other find it lost.
   */
  serialize({ detach = false }: { detach?: boolean } = {}): string {
    const ended = this.#keeper.ended()
    if (ended !== undefined) throw ended
    const text = writeTicket(this.#keeper.held, this.#guarantee)
    if (detach) this.#keeper.detach()
    return text
  }

  /** Releases; never throws, so that an error of the block itself stays the one that is seen. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }
}
