/** What keeps a held lock, wherever the renewing is done. */
import type { Held } from './belief.js'
import type { Extender } from './diagnostics.js'
import type { LockLostError } from './errors.js'
import type { Extension } from './extension.js'
import type { LockState, ReleaseOutcome } from './types.js'

/** What came of a try to extend, as far as it is told. */
export interface ExtensionResult {
  readonly status: Extension['status']
  readonly error?: unknown
}

/** How a lease is to be kept, and who is told. */
export interface Keeping {
  readonly renew: boolean
  /** From when the lease began. */
  readonly maxHoldMs: number
  /** Called once, when it is lost or its release was asked for, with the reason in words. */
  onEnd(state: 'lost' | 'released', why: string): void
  /** Called after that for one that is being released: `freed` never rejects. */
  onRelease?(freed: Promise<ReleaseOutcome>): void
  onDetach?(): void
  /** Called after each try, before anything follows from it. */
  onExtension?(result: ExtensionResult, by: Extender, ttlMs: number, askedAt: number): void
  /** Called before anything else learns of it, whenever `held` or `state` has changed. */
  readonly onChange?: () => void
  /** Nothing is renewed while this says no. */
  readonly isWanted?: () => boolean
  /** An extension by somebody else may have been carried out: the version is read back first. */
  readonly inDoubt?: boolean
}

export interface Keeper {
  /** As it was last known here. */
  readonly held: Held
  readonly state: LockState
  /** Aborts with the LockLostError when the lock is lost, not when it is released. */
  readonly signal: AbortSignal
  /** 0 once it is lost or released. */
  remainingMs(): number
  /** Why it is not held; undefined while it is. */
  ended(): LockLostError | undefined
  extend(ttlMs: number): Promise<void>
  release(): Promise<ReleaseOutcome>
  /** Neither renews nor releases from here on: somebody else does. */
  detach(): void
}
