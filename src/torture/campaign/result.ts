/** What a campaign found: plain data, so that it can be written down, shown and played again. */
import type { FaultName } from '../faults.js'
import type { History, Violation, ViolationKind } from '../history.js'
import type { Laboratory } from '../laboratory.js'
import type { Plan } from '../plan.js'

export interface Result {
  /** In the order of the table: the museum, then ours. */
  readonly algorithms: readonly AlgorithmCard[]
  readonly faults: readonly FaultName[]
  readonly parts: readonly Part[]
  /** Wall-clock time that it took. */
  readonly tookMs: number
  /** It was stopped before it was through. */
  readonly aborted: boolean
}

/** What the report says of an algorithm. */
export interface AlgorithmCard {
  readonly name: string
  /** Of the museum; undefined for ours. */
  readonly row?: number | undefined
  readonly what: string
  /** The fault that its story names. */
  readonly story?: FaultName | undefined
  readonly exceeded?: Readonly<Partial<Record<FaultName, string>>> | undefined
}

/** What one laboratory did. */
export interface Part {
  readonly laboratory: Laboratory['name']
  /** Every algorithm under every fault, in the order of the table. */
  readonly cells: readonly Cell[]
  /** Of each algorithm that broke something: its worst run. */
  readonly worst: readonly Run[]
}

export interface Cell extends Figures {
  readonly algorithm: string
  readonly fault: FaultName
  /** Why it cannot be had, or means nothing: nothing was run. */
  readonly refused?: string | undefined
}

export interface Figures {
  /** Runs that came to an end. */
  readonly runs: number
  /** Those of them with a violation, however many it had. */
  readonly bad: number
  /** Those in which nobody got anything done: that they broke nothing says little. */
  readonly idle: number
  /** How many runs had such a violation. */
  readonly kinds: Readonly<Partial<Record<ViolationKind, number>>>
  /** The smallest one. */
  readonly firstBadSeed?: number | undefined
  /** Runs in which the laboratory itself failed: they say nothing. */
  readonly errors: number
  /** The first of them, by its seed. */
  readonly error?: Failure | undefined
}

export interface Failure {
  readonly seed: number
  readonly text: string
}

export interface Run {
  readonly plan: Plan
  readonly history: History
  readonly violations: readonly Violation[]
}

/** Ours broke a promise within its bounds. */
export function brokenPromises({ algorithms, parts }: Result): Cell[] {
  const ours = new Map(algorithms.filter(({ row }) => row === undefined).map((card) => [card.name, card]))
  const isBroken = ({ algorithm, fault, bad }: Cell) =>
    bad > 0 && ours.has(algorithm) && ours.get(algorithm)!.exceeded?.[fault] === undefined
  return parts.flatMap(({ cells }) => cells.filter(isBroken))
}

export function laboratoryFailures({ parts }: Result): Cell[] {
  return parts.flatMap(({ cells }) => cells.filter(({ errors }) => errors > 0))
}
