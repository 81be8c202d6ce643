/**
 * One run, written down before it begins: who does what when, and what happens to them. It is plain data, so that a run can be
 * shown, shortened and made again. Times are milliseconds from the beginning of the run.
 */
import type { FaultName } from './faults.js'

export interface Plan {
  /** Everything that the plan leaves open, such as how long each message is on its way, is drawn from it. */
  readonly seed: number
  /** The name of an algorithm in the catalogue. */
  readonly algorithm: string
  readonly fault: FaultName
  /** The lease that is asked for. */
  readonly ttlMs: number
  /** For whoever can be told how long to wait for the lock. */
  readonly waitMs: number
  /** What each participant does, by its number. */
  readonly rounds: readonly (readonly Round[])[]
  readonly incidents: readonly Incident[]
  /** When the last round has to have ended; whoever is not finished then is left out of it. */
  readonly lengthMs: number
}

/** One change of the shared set. */
export interface Round {
  /** Pause before it. */
  readonly afterMs: number
  /** Between reading the set and writing it. */
  readonly workMs: number
}

/** Which request of a participant, counted from 0 over all that it sends. */
interface OfRequest {
  readonly who: number
  readonly nth: number
}

/** What an incident can be; for plans that come from outside. */
export const incidentNames = {
  pause: true,
  stall: true,
  heap: true,
  clock: true,
  suspend: true,
  crash: true,
  abort: true,
  blip: true,
  partition: true,
  'server-pause': true,
  'server-clock': true,
  restart: true,
  flush: true,
  evict: true,
  full: true,
  foreign: true,
  lose: true,
  delay: true,
} as const satisfies Record<Incident['what'], true>

/** Does so to the lock's record. */
export type Stranger = 'set' | 'touch' | 'delete'

export type Incident = { readonly at: number } & (
  | { readonly what: 'pause'; readonly who: number; readonly ms: number }
  /** When it next does something: its event loop is blocked for so long before any of its timers run. */
  | { readonly what: 'stall'; readonly who: number; readonly ms: number }
  | { readonly what: 'heap'; readonly who: number; readonly ms: number }
  | { readonly what: 'clock'; readonly who: number; readonly byMs: number }
  | { readonly what: 'suspend'; readonly who: number; readonly ms: number }
  | { readonly what: 'crash'; readonly who: number }
  /** Its caller gives the round up that is under way. */
  | { readonly what: 'abort'; readonly who: number }
  /** Nobody can connect from there, and what is connected is cut. */
  | { readonly what: 'blip'; readonly who: number; readonly server: number; readonly ms: number }
  | {
      readonly what: 'partition'
      readonly who: number
      readonly server: number
      readonly lost: 'requests' | 'replies'
      readonly ms: number
    }
  | { readonly what: 'server-pause'; readonly server: number; readonly ms: number }
  | { readonly what: 'server-clock'; readonly server: number; readonly byMs: number }
  | { readonly what: 'restart'; readonly server: number; readonly downMs: number }
  | { readonly what: 'flush'; readonly server: number }
  /** What is oldest makes room, the lock's record among it. */
  | { readonly what: 'evict'; readonly server: number }
  | { readonly what: 'full'; readonly server: number; readonly ms: number }
  | { readonly what: 'foreign'; readonly how: Stranger }
  /** `lose`: carried out, and the reply lost, with the connection (`cut`) or without a word. `delay`: on its way for so long. */
  | ({ readonly what: 'lose'; readonly cut: boolean } & OfRequest)
  | ({ readonly what: 'delay'; readonly ms: number } & OfRequest)
)
