/**
 * A lock that the helper thread keeps, as its own thread has it. Until when it may be believed in stands in shared cells, so
 * that it is right in the very moment in which a blocked event loop goes on. When the helper thread dies, this thread
 * goes on with the keeping.
 */
import type { Held } from '../belief.js'
import { Ending } from '../ending.js'
import { type LockLostError, LockUnavailableError } from '../errors.js'
import { free } from '../freeing.js'
import type { Keeper, Keeping } from '../keeper.js'
import { LeaseKeeper } from '../lease-keeper.js'
import type { Site } from '../site.js'
import { sweep } from '../sweep.js'
import type { LockState, ReleaseOutcome } from '../types.js'
import { BeliefCells } from './belief-cells.js'
import type { HelperThread } from './helper-thread.js'
import type { ToldExtension } from './messages.js'

/** A renewal that came too late is noticed by this thread's timers within so long; by `ended` at once. */
const LOOK_MS = 1000

export class ThreadKeeper implements Keeper {
  readonly #site: Site
  readonly #keeping: Keeping
  readonly #thread: HelperThread
  readonly #number: number
  readonly #cells = new BeliefCells()
  readonly #ending: Ending
  #held: Held
  #releasing: Promise<ReleaseOutcome> | undefined
  /** In place of the helper thread, when that has died. */
  #successor: LeaseKeeper | undefined
  #cancelTimer = () => {}

  constructor(site: Site, held: Held, keeping: Keeping, maxStallMs: number, thread: HelperThread) {
    this.#site = site
    this.#held = held
    this.#keeping = keeping
    this.#thread = thread
    this.#ending = new Ending(held.lease.name, (state, why) => this.#end(state, why))
    this.#cells.write(held.validUntil - site.environment.clock.now(), false)
    this.#number = thread.enter(this)
    this.#hand(maxStallMs)
    this.#arm()
  }

  get held(): Held {
    if (this.#successor !== undefined) return this.#successor.held
    return { ...this.#held, validUntil: this.#site.environment.clock.now() + this.#cells.leftMs() }
  }

  get signal(): AbortSignal {
    return this.#ending.signal
  }

  get state(): LockState {
    this.ended()
    if (this.#ending.state !== undefined) return this.#ending.state
    return this.#successor?.state ?? (this.#cells.isSuspect() ? 'suspect' : 'held')
  }

  remainingMs(): number {
    if (this.ended() !== undefined) return 0
    return this.#successor?.remainingMs() ?? Math.max(0, this.#cells.leftMs())
  }

  ended(): LockLostError | undefined {
    // A successor tells of its end by itself.
    if (this.#successor !== undefined) this.#successor.ended()
    else if (this.#cells.leftMs() <= 0) this.lose('its lease is over')
    return this.#ending.error
  }

  async extend(ttlMs: number): Promise<void> {
    this.#throwIfEnded()
    const lock = this.#number
    const answer = await this.#thread.ask((question) => ({ kind: 'extend', lock, question, ttlMs }))
    this.#throwIfEnded()
    if (answer === undefined) return this.#successor!.extend(ttlMs)
    if (answer.status === 'failed') {
      const cause = new Error(answer.why)
      throw new LockUnavailableError(this.#held.lease.name, 'the server did not answer the extension', { cause })
    }
    this.#held = { ...this.#held, ttlMs }
  }

  release(): Promise<ReleaseOutcome> {
    this.#releasing ??= this.#startRelease()
    return this.#releasing
  }

  detach(): void {
    this.#ending.end('released', 'it was handed over')
    this.#keeping.onDetach?.()
    this.#releasing ??= Promise.resolve('lost')
    this.#successor?.detach()
    this.#leave()
  }

  /** Called by the thread, too, when the server has said so. */
  lose(why: string): void {
    this.#ending.end('lost', why)
    this.#leave()
  }

  /** Called by the thread; one that comes after the end is told to nobody. */
  tellOf({ status, by, ttlMs, ms, error }: ToldExtension): void {
    const cause = error && Object.assign(new Error(error.message), { code: error.code })
    this.#keeping.onExtension?.({ status, error: cause }, by, ttlMs, this.#site.environment.clock.now() - ms)
  }

  /** Called when the thread has died. What it had sent may have been carried out. */
  takeOver(): void {
    if (this.ended() !== undefined) return
    const { lease, ttlMs } = this.#held
    const { renew, maxHoldMs } = this.#keeping
    const onEnd = (state: 'lost' | 'released', why: string) => this.#ending.end(state, why)
    const onExtension: Keeping['onExtension'] = (...told) => this.#keeping.onExtension?.(...told)
    const validUntil = this.#site.environment.clock.now() + this.#cells.leftMs()
    const keeping = { renew, maxHoldMs, onEnd, onExtension, inDoubt: true }
    this.#successor = new LeaseKeeper(this.#site, { lease, ttlMs, validUntil }, keeping)
  }

  async #startRelease(): Promise<ReleaseOutcome> {
    if (this.ended() !== undefined) {
      const { lease, ttlMs } = this.#held
      sweep(this.#site, {
        key: lease.key,
        owner: lease.holder.owner,
        until: this.#site.environment.clock.now() + ttlMs,
      })
      return 'lost'
    }
    const { held } = this
    this.#ending.end('released', 'it was released')
    const freed = this.#successor?.release() ?? this.#freeByThread(held)
    this.#site.chores.add(freed)
    this.#keeping.onRelease?.(freed)
    return freed
  }

  async #freeByThread(held: Held): Promise<ReleaseOutcome> {
    const lock = this.#number
    const answer = await this.#thread.ask((question) => ({ kind: 'release', lock, question }))
    if (answer?.status === 'released') return answer.outcome
    this.#site.chores.begin()
    return free(this.#site, held, true)
  }

  #hand(maxStallMs: number): void {
    if (this.#thread.isDead) {
      this.takeOver()
      return
    }
    const { lease, ttlMs, validUntil } = this.#held
    const { maxHoldMs } = this.#keeping
    const cells = this.#cells.buffer
    const spanMs = validUntil - lease.from
    this.#thread.tell({ kind: 'keep', lock: this.#number, lease, ttlMs, spanMs, maxHoldMs, maxStallMs, cells })
  }

  #leave(): void {
    this.#thread.tell({ kind: 'detach', lock: this.#number })
  }

  #end(state: 'lost' | 'released', why: string): void {
    this.#cancelTimer()
    this.#thread.leave(this.#number)
    this.#keeping.onEnd(state, why)
  }

  #arm(): void {
    if (this.ended() !== undefined || this.#successor !== undefined) return
    const waitMs = Math.min(this.#cells.leftMs(), LOOK_MS)
    this.#cancelTimer = this.#site.environment.timer(waitMs, () => this.#arm(), false)
  }

  #throwIfEnded(): void {
    const error = this.ended()
    if (error !== undefined) throw error
  }
}
