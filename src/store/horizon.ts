/**
 * What outlives a crash: the horizon, a moment that no lease on a pinned key outlasts, and a ceiling of the tokens given.
 * Both are written down somewhere durable *before* they are used, so that the next start knows for how long somebody
 * may still believe to hold a lock. Times are ms since the store began.
 *
 * The state lock makes one thread at a time write. Nothing is taken inside, and it is mostly taken with no stripe held:
 * only a lease that is handed over, and that was not seen coming, is written down with its stripe locked.
 * Without a keeper the horizon is infinitely far, and nothing here is ever written.
 */
import type { Tokens } from './cas-epoch.js'
import { StoreLockTimeoutError, StoreStateError } from './errors.js'
import { Global, GlobalDouble } from './layout.js'
import { acquire, release, seize, tryAcquire } from './lock.js'
import type { Memory } from './memory.js'

export interface LeaseKeeper {
  /**
   * Makes durable that leases may last for `leaseMs` from now, and that tokens may be given up to `ceiling`.
   * Throws, with the reason as message, when that cannot be done.
   */
  write(leaseMs: number, ceiling: bigint): void
  /** The wall clock, in ms. */
  wallMs(): number
}

/** The horizon is written so far beyond what is needed: one write serves all leases of that time. */
const STEP_MS = 10_000
/**
 * What is written is a time of the wall clock, which the store does not live by: a machine that was suspended, or
 * a clock set forward, brings it nearer. It is written so much later than it has to be, and anew when that is used up.
 */
const DRIFT_MS = 1000
/**
 * Disks are slow at times. The main thread waits here for less, and only when its sweep hands a lease over: it must come to
 * hear of it when the one that writes dies.
 */
const LOCK_TIMEOUT_MS = 10_000
/** The ceiling is written ahead by the table's age, within these: a crash skips tokens, but a crash loop not many. */
const CEILING_AHEAD_MIN_MS = 60_000
const CEILING_AHEAD_MAX_MS = 3_600_000

export class Horizon {
  keeper: LeaseKeeper | undefined
  readonly #memory: Memory
  readonly #owner: number
  readonly #tokens: Tokens

  constructor(memory: Memory, owner: number, tokens: Tokens) {
    this.#memory = memory
    this.#owner = owner
    this.#tokens = tokens
  }

  get #ms(): number {
    return this.#memory.doubles[GlobalDouble.HorizonMs]!
  }

  /** Whether a lease that ends then is written down already. Read without the state lock: the horizon only rises. */
  covers(leaseEndMs: number, nowMs: number): boolean {
    return leaseEndMs <= this.#ms && !this.#hasDrifted(nowMs)
  }

  #hasDrifted(nowMs: number): boolean {
    const { keeper } = this
    if (keeper === undefined) return false
    return keeper.wallMs() - nowMs > this.#memory.doubles[GlobalDouble.WallOffsetMs]! + DRIFT_MS
  }

  /** A lease ends then. For `keepAhead` to know what is in demand: of threads that race, any may win. */
  noteLease(leaseEndMs: number): void {
    const { doubles } = this.#memory
    if (leaseEndMs > doubles[GlobalDouble.LatestLeaseMs]!) doubles[GlobalDouble.LatestLeaseMs] = leaseEndMs
  }

  /**
   * Raises the horizon to `leaseEndMs` at least; waits for the disk when it is not there yet, and for up to
   * `waitMs` while another thread does.
   * @throws StoreStateError when it cannot be written; it is then where it was.
   */
  ensure(leaseEndMs: number, nowMs: number, waitMs = LOCK_TIMEOUT_MS): void {
    if (this.covers(leaseEndMs, nowMs)) return
    this.#lock(waitMs)
    try {
      // Another thread may have written while this one waited.
      if (!this.covers(leaseEndMs, nowMs)) this.#writeLocked(Math.max(this.#ms, leaseEndMs + STEP_MS), nowMs)
    } finally {
      release(this.#memory.control, Global.StateLock)
    }
  }

  /**
   * Writes before anybody has to wait for it, while leases keep coming; and anew what has come too near by the wall clock,
   * or `isGone`, while leases that rely on it may run. For a timer of the main thread.
   * @throws StoreStateError
   */
  keepAhead(nowMs: number, isGone = false): void {
    const { control, doubles } = this.#memory
    const latestMs = doubles[GlobalDouble.LatestLeaseMs]!
    const leasesNear = latestMs > nowMs && latestMs + STEP_MS / 2 > this.#ms
    const ceilingNear = nowMs + ceilingAhead(nowMs) / 2 > doubles[GlobalDouble.CeilingMs]!
    const tooNear = this.#ms > nowMs && this.#hasDrifted(nowMs)
    if (!leasesNear && !ceilingNear && !tooNear && !isGone) return
    if (!tryAcquire(control, Global.StateLock, this.#owner)) return
    try {
      this.#writeLocked(Math.max(this.#ms, leasesNear ? latestMs + STEP_MS : 0), nowMs)
    } finally {
      release(control, Global.StateLock)
    }
  }

  /** Frees the state lock if the dead thread `dead` held it. What it wrote is there or not: it writes to a new file. */
  recover(dead: number): void {
    if (seize(this.#memory.control, Global.StateLock, dead, this.#owner))
      release(this.#memory.control, Global.StateLock)
  }

  #lock(waitMs: number): void {
    try {
      acquire(this.#memory.control, Global.StateLock, this.#owner, waitMs)
    } catch (error) {
      if (!(error instanceof StoreLockTimeoutError)) throw error
      throw new StoreStateError(`another thread has been writing it for ${waitMs} ms`)
    }
  }

  /** The cells are set after the writing: whoever reads them may rely on what is written. */
  #writeLocked(horizonMs: number, nowMs: number): void {
    const { keeper } = this
    const { doubles } = this.#memory
    if (keeper === undefined) throw new StoreStateError('this thread has no keeper of leases')
    const offsetMs = keeper.wallMs() - nowMs
    const ceilingMs = nowMs + ceilingAhead(nowMs)
    try {
      keeper.write(Math.max(0, horizonMs - nowMs) + DRIFT_MS, this.#tokens.ceiling(ceilingMs))
    } catch (error) {
      throw new StoreStateError(error instanceof Error ? error.message : String(error))
    }
    doubles[GlobalDouble.WallOffsetMs] = offsetMs
    doubles[GlobalDouble.HorizonMs] = horizonMs
    doubles[GlobalDouble.CeilingMs] = ceilingMs
  }
}

function ceilingAhead(nowMs: number): number {
  return Math.min(CEILING_AHEAD_MAX_MS, Math.max(CEILING_AHEAD_MIN_MS, nowMs))
}
