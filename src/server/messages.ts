/** What the main thread and a worker say to each other. */
import type { Socket } from 'node:net'
import type { StoreHandle } from '../store/index.js'
import type { Secrets } from './auth/secrets.js'
import type { Question } from './context.js'
import type { EventBundle } from './events.js'
import type { MetricsHandle } from './metrics.js'
import type { Settings } from './options.js'
import type { LockStatePlace } from './state/lock-state.js'

export interface WorkerStart {
  readonly settings: Settings
  readonly table: StoreHandle
  readonly metrics: MetricsHandle
  readonly secrets: Secrets
  /** Where leases are written down, if they are. */
  readonly state: LockStatePlace | undefined
  /** This worker's row of the metrics, from 1. */
  readonly row: number
}

/** Where a worker listens by itself. */
export type ListenAt =
  | { readonly host: string; readonly port: number; readonly backlog: number; readonly reusePort: true }
  | { readonly fd: number; readonly backlog: number }

export type ToWorker =
  | { readonly kind: 'socket'; readonly socket: Socket }
  | { readonly kind: 'listen'; readonly at: ListenAt }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  | { readonly kind: 'answer'; readonly id: number; readonly text: string }
  | { readonly kind: 'events'; readonly bundle: EventBundle; readonly skipped: number }
  | { readonly kind: 'heard' }
  /** To be answered once they are in use. */
  | { readonly kind: 'secrets'; readonly id: number; readonly secrets: Secrets }
  | { readonly kind: 'drain' }

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'listen failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  | { readonly kind: 'answer'; readonly id: number; readonly text: string }
  | { readonly kind: 'log'; readonly text: string }
  | { readonly kind: 'watch'; readonly id: number; readonly watcher: number; readonly kinds: number }
  | { readonly kind: 'unwatch'; readonly watcher: number }
  | { readonly kind: 'events'; readonly bundle: EventBundle }
  | { readonly kind: 'told' }
  | { readonly kind: 'refresh'; readonly id: number }
  | { readonly kind: 'stop' }
  | { readonly kind: 'drained' }
