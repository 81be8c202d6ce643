/**
 * A result as JSON, to be kept and played again.
 *
 *     { "format": "latchkey-torture", "version": 1, "result": Result }
 *
 * `result` is campaign/result.ts word for word: `algorithms`, `faults`, and for each laboratory `cells` and `worst`, the worst run of each
 * algorithm with its plan, history and violations. Times are milliseconds from the beginning of the run. The version rises when
 * something that was there means something else, or is gone; who reads it takes no notice of what it does not know.
 */
import type { Part, Result, Run } from '../campaign/result.js'
import { isFaultName } from '../faults.js'
import type { Laboratory } from '../laboratory.js'
import { incidentNames, type Plan } from '../plan.js'

const format = 'latchkey-torture'
const version = 1

export function toJson(result: Result): string {
  return `${JSON.stringify({ format, version, result })}\n`
}

/** Of a file: a result, a single run, or a plan alone. */
export interface Replayable {
  readonly laboratory: Laboratory['name'] | undefined
  readonly plan: Plan
}

/** @throws SyntaxError with what is wrong, when `text` is neither a result of this version nor a plan. */
export function plansIn(text: string): Replayable[] {
  const data: unknown = JSON.parse(text)
  if (isPlan(data)) return [{ laboratory: undefined, plan: data }]
  if (isObject(data) && isPlan(data.plan)) return [{ laboratory: laboratoryOf(data), plan: data.plan }]
  if (!isObject(data) || data.format !== format)
    throw new SyntaxError('it is neither a result nor a plan of the fault laboratory')
  if (data.version !== version) throw new SyntaxError(`its version is ${data.version}, and only ${version} is known`)
  const parts = (data.result as Partial<Result> | undefined)?.parts
  if (!Array.isArray(parts)) throw new SyntaxError('it has no parts')
  return parts.flatMap((part) => {
    const { laboratory, worst } = isObject(part) ? (part as unknown as Part) : ({} as Partial<Part>)
    if (!Array.isArray(worst)) throw new SyntaxError('it has a part without runs')
    return (worst as Run[]).map(({ plan }) => {
      if (!isPlan(plan)) throw new SyntaxError('it has a run without a plan')
      return { laboratory, plan }
    })
  })
}

/** Of a single run; a file may come from anywhere. */
function laboratoryOf({ laboratory }: Record<string, unknown>): Replayable['laboratory'] {
  return laboratory === 'simulation' || laboratory === 'processes' ? laboratory : undefined
}

function isPlan(data: unknown): data is Plan {
  if (!isObject(data)) return false
  const { seed, algorithm, fault, ttlMs, waitMs, rounds, incidents, lengthMs } = data
  return (
    [seed, ttlMs, waitMs, lengthMs].every((number) => Number.isFinite(number)) &&
    typeof algorithm === 'string' &&
    typeof fault === 'string' &&
    isFaultName(fault) &&
    Array.isArray(rounds) &&
    rounds.every(Array.isArray) &&
    Array.isArray(incidents) &&
    incidents.every(isIncident)
  )
}

function isIncident(data: unknown): boolean {
  return isObject(data) && Number.isFinite(data.at) && typeof data.what === 'string' && data.what in incidentNames
}

function isObject(data: unknown): data is Record<string, unknown> {
  return typeof data === 'object' && data !== null
}
