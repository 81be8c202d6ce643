/** What the laboratory and a participant say to each other. All moments are milliseconds of CLOCK_MONOTONIC, which all processes share. */
import type { StoreHandle } from '../../store/index.js'
import type { Outcome } from '../history.js'
import type { EngineName } from '../homes.js'
import type { Round } from '../plan.js'

/** One participant's part of a plan. */
export interface Job {
  readonly who: number
  readonly algorithm: string
  /** Of the lock, and no other run's. */
  readonly lock: string
  readonly rounds: readonly Round[]
  readonly ttlMs: number
  readonly waitMs: number
  readonly home: Home
}

/** Where the locks are. */
export type Home = ServersHome | EngineHome | { readonly is: 'store'; readonly handle: StoreHandle }

export interface ServersHome {
  readonly is: 'servers'
  /** What they are called, by everybody alike: this decides which key is on which of them. */
  readonly names: readonly string[]
  /** How this participant reaches them. */
  readonly addresses: readonly string[]
  /** The order in which it has them in its list. */
  readonly order: readonly number[]
  /** Put before every key. */
  readonly keyPrefix: string
  /** Of memcached's driver. */
  readonly freshServers: 'wait' | 'trust'
  readonly maxLeaseMs: number
  /** A lock is on a majority of them all, and not on one. */
  readonly quorum: boolean
  /** A client library sends again what brought no answer, whatever the algorithm's own habits are. */
  readonly retries: boolean
}

export interface EngineHome {
  readonly is: 'engine'
  readonly engine: EngineName
  /** How this participant reaches its servers, in the order of its list. */
  readonly addresses: readonly string[]
  /** Where it may forget. */
  readonly freshServers: 'wait' | 'trust'
  readonly maxLeaseMs: number
}

export type Order =
  | { readonly do: 'prepare'; readonly job: Job }
  /** Its first round begins then. */
  | { readonly do: 'play'; readonly at: number }
  | { readonly do: 'abort' }
  | { readonly do: 'stall'; readonly ms: number }
  | { readonly do: 'heap'; readonly ms: number }
  | { readonly do: 'hear'; readonly answer: Answer }
  /** Closes everything, for another job. */
  | { readonly do: 'rest' }

export type Report =
  | { readonly is: 'prepared' | 'played' | 'rested' }
  | { readonly is: 'began'; readonly at: number; readonly id: string }
  | {
      readonly is: 'ended'
      readonly at: number
      readonly id: string
      readonly outcome: Exclude<Outcome, 'cut'>
      readonly why?: string | undefined
    }
  | Believing
  | { readonly is: 'asks'; readonly question: Question }
  /** Something is wrong with the laboratory. */
  | { readonly is: 'failed'; readonly why: string }

/** `leftMs`: of the lease, where there is one; from then on it is not believed in. */
export type Believing = { readonly at: number; readonly belief: number; readonly leftMs?: number | undefined } & (
  | { readonly is: 'believes'; readonly fence?: string | undefined; readonly owner?: string | undefined }
  | { readonly is: 'still' | 'doubts' }
)

/** To the resource. */
export interface Question {
  readonly number: number
  readonly fence?: string | undefined
  /** What is written; undefined: it is read. */
  readonly ids?: readonly string[] | undefined
}

export interface Answer {
  readonly number: number
  readonly ids?: readonly string[]
  /** Refused: the fence, and the greater one that was given before. */
  readonly stale?: { readonly fence: string; readonly newer: string }
}

export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
