/** Where plans are carried out: in virtual time, or with real processes. */
import type { Algorithm } from './algorithm.js'
import type { FaultName } from './faults.js'
import type { History } from './history.js'
import type { Plan } from './plan.js'

export interface Laboratory {
  readonly name: 'simulation' | 'processes'
  /** How many runs it does well at the same time. */
  readonly atOnce: number
  /** Why this cannot be had here, in a few words; undefined when it can. */
  refuses(algorithm: Algorithm, fault: FaultName): string | undefined
  /** Rejects only when the laboratory itself has failed. */
  run(plan: Plan): Promise<History>
  close(): Promise<void>
}
