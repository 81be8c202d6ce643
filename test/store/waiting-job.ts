/** What the workers that wait for keys and their tests tell each other. */
export interface WaitingJob {
  readonly seed: number
  readonly keys: number
  /** Grants that a worker wants before it ends; 0 for as many as it gets before `Cell.Stop`. */
  readonly rounds: number
  /** Of the leases. */
  readonly ttlMs: number
  /** Shared cells, by `Cell`. */
  readonly cells: Int32Array
  /** By key: the number, plus one, of the worker that holds it; 0 for none. */
  readonly holders: Int32Array
  /** By key: the last token that was granted. */
  readonly tokens: BigInt64Array
}
export const Cell = { Stop: 0, Grants: 1 } as const

export interface WaitingReport {
  faults: string[]
  /** The workers from which keys were taken that these had not let go of. */
  takenFrom: number[]
  grants: number
  /** Plain adds that won. */
  adds: number
}
