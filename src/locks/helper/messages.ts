/** What the helper thread and the thread that it works for say to each other. */
import type { Extender } from '../diagnostics.js'
import type { Lease } from '../driver.js'
import type { ExtensionResult } from '../keeper.js'
import type { ReleaseOutcome } from '../types.js'

/** What the helper thread starts with. */
export interface HelperData {
  readonly module: string
  readonly options: unknown
  readonly prefix: string
  readonly deadlineMs: number
  readonly heartbeat: SharedArrayBuffer
}

/** Each lock has a number, and each question to which there is an answer. */
export type ToHelper =
  | {
      readonly kind: 'keep'
      readonly lock: number
      readonly lease: Lease
      readonly ttlMs: number
      /** From when the lease counts to when belief ends; how much of that is left, the cells tell. */
      readonly spanMs: number
      readonly maxHoldMs: number
      readonly maxStallMs: number
      readonly cells: SharedArrayBuffer
    }
  | { readonly kind: 'extend'; readonly lock: number; readonly question: number; readonly ttlMs: number }
  | { readonly kind: 'release'; readonly lock: number; readonly question: number }
  | { readonly kind: 'detach'; readonly lock: number }
  | { readonly kind: 'close' }

export type FromHelper =
  | { readonly kind: 'ready' }
  | { readonly kind: 'lost'; readonly lock: number; readonly why: string }
  | { readonly kind: 'extension'; readonly lock: number; readonly told: ToldExtension }
  | { readonly kind: 'answer'; readonly question: number; readonly answer: Answer }

/** For those who watch; what the lock is worth, the cells tell. */
export interface ToldExtension {
  readonly status: ExtensionResult['status']
  readonly by: Extender
  readonly ttlMs: number
  readonly ms: number
  /** What of an error can be sent. */
  readonly error: { readonly message: string; readonly code: string | undefined } | undefined
}

/** `failed`: the server did not answer, with what the driver said of it. */
export type Answer =
  | { readonly status: 'extended' }
  | { readonly status: 'failed'; readonly why: string }
  | { readonly status: 'released'; readonly outcome: ReleaseOutcome }
