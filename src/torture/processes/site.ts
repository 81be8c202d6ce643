/** Where the locks of one run are, as the laboratory has it: servers of its own, servers of others, or a store. */
import type { FaultName } from '../faults.js'
import type { Incident } from '../plan.js'
import type { Home } from './messages.js'
import type { Address } from './wires.js'

/** What is done to a site. */
export type SiteIncident = Extract<
  Incident,
  { what: 'server-pause' | 'restart' | 'flush' | 'evict' | 'full' | 'foreign' }
>

export interface Site {
  /** None: there is no wire. */
  readonly servers: readonly Address[]
  /** Whether requests on the wire can be told from each other. */
  readonly protocol: 'memcached' | 'unknown'
  /** As a participant has it, who reaches the servers at these addresses; without them, directly. */
  home(addresses?: readonly string[], order?: readonly number[]): Home
  /** A key of a participant was seen on its way to a server. */
  sawKey(server: number, key: string): void
  /** Resolves when locks can be had there, and the fault can be made. `key`: of the lock. */
  prepare(key: string): Promise<void>
  /** When the first round should begin, as `nowMs` tells time. */
  startAt(): Promise<number>
  /** Resolves when it is over. */
  suffer(incident: SiteIncident, key: string): Promise<void>
  /** Servers that are stopped go on, since the run is over. */
  resume(): void
  close(): Promise<void>
}

/** What about a run decides how its site is made. */
export interface SiteOrder {
  readonly fault: FaultName
  /** The longest lease of the run. */
  readonly ttlMs: number
}

/** A foreign hand sets or keeps what it touches for so long: seconds. */
export const FOREIGN_TTL_S = 1
/** From now, so that everybody has heard of it. */
export const START_IN_MS = 30
