import { median, round } from '../support/statistics.js'

/** What one process saw of one stampede. */
export interface Rush {
  /** How often the function ran here. */
  computed: number
  /** From the start until the last caller here had its value. */
  lastMs: number
  /** Every different value that callers were given. */
  values: string[]
}

export interface StampedeRow {
  server: string
  processes: number
  callers: number
  /** How long the function takes: nobody can have the value sooner. */
  computeMs: number
  rounds: number
  /** Over all rounds: how often the function ran in the worst one. */
  computedMax: number
  /** Rounds in which it ran other than once, or callers were given different values. */
  failedRounds: number
  /** Until the last caller of all had its value. */
  lastMsMedian: number
  lastMsMax: number
}

/** A round is what all processes saw of the same stampede. */
export function stampedeRow(
  head: Pick<StampedeRow, 'server' | 'processes' | 'callers' | 'computeMs'>,
  rounds: readonly (readonly Rush[])[],
): StampedeRow {
  const computed = rounds.map((rushes) => rushes.reduce((sum, rush) => sum + rush.computed, 0))
  const different = rounds.map((rushes) => new Set(rushes.flatMap(({ values }) => values)).size)
  const lastMs = rounds.map((rushes) => Math.max(...rushes.map((rush) => rush.lastMs)))
  return {
    ...head,
    rounds: rounds.length,
    computedMax: Math.max(...computed),
    failedRounds: computed.filter((times, index) => times !== 1 || different[index] !== 1).length,
    lastMsMedian: round(median(lastMs)),
    lastMsMax: round(Math.max(...lastMs)),
  }
}
