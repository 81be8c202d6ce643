import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChurnResult } from '../churn/part.js'
import type { ClientResult } from '../client/part.js'
import type { IdleRow } from '../idle/part.js'
import type { ItemsRow } from '../items/part.js'
import type { LocksResult } from '../locks/part.js'
import type { MissRow } from '../misses/part.js'
import type { QuorumRow } from '../quorum/part.js'
import type { ServerResult } from '../server/part.js'
import type { StampedeRow } from '../stampede/measure.js'
import type { StoreResult } from '../store/part.js'
import type { Machine } from '../support/machine.js'

/** Parts can be run one at a time, so each carries where and when it was measured. */
export interface Measured<T> {
  measuredAt: string
  quick: boolean
  machine: Machine
  data: T
}

export interface Results {
  server?: Measured<ServerResult>
  /** The same over the binary protocol, and over TLS. */
  binary?: Measured<ServerResult>
  tls?: Measured<ServerResult>
  idle?: Measured<IdleRow[]>
  store?: Measured<StoreResult>
  items?: Measured<ItemsRow[]>
  misses?: Measured<MissRow[]>
  churn?: Measured<ChurnResult>
  client?: Measured<ClientResult>
  stampede?: Measured<StampedeRow[]>
  locks?: Measured<LocksResult>
  quorum?: Measured<QuorumRow[]>
  /** The server part with memcached on both sides. */
  calibration?: Measured<ServerResult>
}

/** The sources' folder, not the compiler's output: results are kept with the code. */
export const benchFolder = join(import.meta.dirname, '../../../bench')
const file = join(benchFolder, 'results.json')

export function readResults(): Results {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : {}
}

export function writeResults(results: Results): void {
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
}
