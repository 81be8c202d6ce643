/**
 * Runs of one cell, summed up. Tallies can be added in any order and any grouping, and the sum is the same: that is why it does not
 * matter which thread ran what, or who was ready first.
 */

import { overlapMs } from '../checker/overlaps.js'
import type { ViolationKind } from '../history.js'
import type { Failure, Figures, Run } from './result.js'

export interface Tally extends Figures {
  readonly worst?: Run | undefined
}

export const noRuns: Tally = { runs: 0, bad: 0, idle: 0, kinds: {}, errors: 0 }

/** A run counts once, however many violations it has. */
export function tallyOf(run: Run): Tally {
  const idle = run.history.updates.some(({ outcome }) => outcome === 'done') ? 0 : 1
  if (run.violations.length === 0) return { ...noRuns, runs: 1, idle }
  const kinds = Object.fromEntries(kindsOf(run).map((kind) => [kind, 1]))
  return { runs: 1, bad: 1, idle, kinds, firstBadSeed: run.plan.seed, errors: 0, worst: run }
}

/** The laboratory failed; that is no run, and no pass. */
export function failureOf(error: Failure): Tally {
  return { ...noRuns, errors: 1, error }
}

export function sum(one: Tally, other: Tally): Tally {
  return {
    runs: one.runs + other.runs,
    bad: one.bad + other.bad,
    idle: one.idle + other.idle,
    kinds: sumOfKinds(one.kinds, other.kinds),
    firstBadSeed: better(one.firstBadSeed, other.firstBadSeed, Math.min),
    errors: one.errors + other.errors,
    error: better(one.error, other.error, (a, b) => (a.seed <= b.seed ? a : b)),
    worst: better(one.worst, other.worst, worse),
  }
}

/** The run with more kinds of violation, then that with more overlap. The rest only makes it the same one every time. */
export function worse(one: Run, other: Run): Run {
  const differences = [
    () => kindsOf(other).length - kindsOf(one).length,
    () => overlapMs(other.history.beliefs) - overlapMs(one.history.beliefs),
    () => other.violations.length - one.violations.length,
    () => one.plan.seed - other.plan.seed,
    () => (one.plan.fault < other.plan.fault ? -1 : 1),
  ]
  for (const difference of differences) {
    const by = difference()
    if (by !== 0) return by < 0 ? one : other
  }
  return one
}

function kindsOf({ violations }: Run): ViolationKind[] {
  return [...new Set(violations.map(({ kind }) => kind))]
}

function sumOfKinds(one: Tally['kinds'], other: Tally['kinds']): Tally['kinds'] {
  const kinds: Partial<Record<ViolationKind, number>> = { ...one }
  for (const [kind, runs] of Object.entries(other) as [ViolationKind, number][]) kinds[kind] = (kinds[kind] ?? 0) + runs
  return kinds
}

function better<T>(one: T | undefined, other: T | undefined, choose: (one: T, other: T) => T): T | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return choose(one, other)
}
