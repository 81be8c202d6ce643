/** What the terminated workers and their test tell each other. */
export interface TerminationJob {
  readonly seed: number
  readonly keys: number
  readonly pinned: number
  /** Shared cells, by `Cell`. */
  readonly cells: Int32Array
}
export const Cell = { Stop: 0, Faults: 1, Operations: 2 } as const

export interface SurvivorReport {
  faults: string[]
  /** Milliseconds of the longest operation. */
  longestMs: number
  operations: number
}
