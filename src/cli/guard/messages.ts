/** What `latchkey lock` and its guard tell each other. */
import type { Deadline } from './deadline.js'

/** How long a command is given, and when its lease is over. */
export interface Terms {
  /** From SIGTERM to SIGKILL. */
  readonly killAfterMs: number
  /** SIGKILL comes so long before the lease is over. */
  readonly marginMs: number
}

export type Order =
  | {
      readonly order: 'run'
      readonly command: readonly string[]
      /** On top of the environment that the guard has from its parent. */
      readonly env: Readonly<Record<string, string>>
      readonly terms: Terms
      readonly lease: Deadline
    }
  /** Sent again and again: the guard stops the command when it no longer hears a later end. */
  | { readonly order: 'lease'; readonly lease: Deadline }
  /** The lock is not ours any more, whatever the lease was. */
  | { readonly order: 'lost' }
  | { readonly order: 'signal'; readonly signal: NodeJS.Signals }

export type News =
  | { readonly news: 'started'; readonly pid: number }
  /** Sent before the SIGTERM. */
  | { readonly news: 'stopping' }
  | { readonly news: 'ended'; readonly ending: Ending }

/** What became of the command. */
export type Ending =
  | { readonly how: 'exit'; readonly code: number }
  | { readonly how: 'signal'; readonly signal: NodeJS.Signals }
  /** Stopped because of the lease; what it then ended with says nothing. `started` is false when it came too late to run. */
  | { readonly how: 'stopped'; readonly started: boolean }
  /** It could not be started. */
  | { readonly how: 'error'; readonly errno: string }
