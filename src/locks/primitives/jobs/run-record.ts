/** What is written down about a job that runs once a period: JSON, times in unix milliseconds. */
import { textOf } from '../callback.js'
import type { CellOptions } from '../cell.js'

/** `running`: begun, and no end is written down. Where nobody holds the lock any more, whoever ran it has died. */
export type RunOutcome = 'running' | 'done' | 'failed'

/** One run of a job. All times are by the clock of the machine that ran it. */
export interface RunRecord {
  readonly name: string
  /** The owner token of the lock that it ran under: no two runs have the same. */
  readonly run: string
  /** When the period began for which it ran. */
  readonly slot: Date
  /** 1 for the first in its period. */
  readonly attempt: number
  readonly startedAt: Date
  /** undefined while it runs, and for ever if nobody was left to write it down. */
  readonly finishedAt: Date | undefined
  readonly outcome: RunOutcome
  /** The message of what the job threw, of at most 300 characters. */
  readonly error: string | undefined
  readonly host: string | undefined
  readonly pid: number | undefined
  readonly label: string | undefined
  /** undefined for a lock without a fence. */
  readonly fence: bigint | undefined
}

const LONGEST_ERROR = 300
/** Leaves nothing to be remembered of a job that has not run for so long, unless its periods are longer. */
const KEPT_MS = 7 * 86_400_000
/** Of every job, two periods at least: a machine may be late. */
const KEPT_PERIODS = 2

export function recordsOf(name: string, everyMs = 0): CellOptions<RunRecord> {
  const ttlMs = Math.max(KEPT_MS, KEPT_PERIODS * everyMs)
  return { kind: 'once', name, ttlMs, encode, decode: (text) => decode(name, text) }
}

/** What a job threw, as it is written down. */
export function errorText(error: unknown): string {
  return textOf(error).slice(0, LONGEST_ERROR).toWellFormed()
}

const VERSION = 1

function encode(record: RunRecord): string {
  const { run, slot, attempt, startedAt, finishedAt, outcome, error, host, pid, label, fence } = record
  const times = { slot: slot.getTime(), startedAt: startedAt.getTime(), finishedAt: finishedAt?.getTime() }
  return JSON.stringify({
    v: VERSION,
    run,
    ...times,
    attempt,
    outcome,
    error,
    host,
    pid,
    label,
    fence: fence?.toString(),
  })
}

/** undefined for what is no record. */
function decode(name: string, text: string): RunRecord | undefined {
  try {
    const { v, slot, startedAt, finishedAt, fence, run, attempt, outcome, error, host, pid, label } = JSON.parse(text)
    if (v !== VERSION || typeof run !== 'string' || !Number.isInteger(attempt)) return undefined
    if (!['running', 'done', 'failed'].includes(outcome)) return undefined
    const dates = { slot: new Date(slot), startedAt: new Date(startedAt) }
    if (Number.isNaN(dates.slot.getTime()) || Number.isNaN(dates.startedAt.getTime())) return undefined
    return {
      name,
      run,
      ...dates,
      finishedAt: finishedAt === undefined ? undefined : new Date(finishedAt),
      attempt,
      outcome,
      error,
      host,
      pid,
      label,
      fence: fence === undefined ? undefined : BigInt(fence),
    }
  } catch {
    return undefined
  }
}
