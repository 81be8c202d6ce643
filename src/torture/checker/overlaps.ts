/** S1: no two acquisitions are believed in at the same time. */
import type { BeliefSpan, Violation } from '../history.js'

export interface Overlap {
  readonly one: BeliefSpan
  readonly other: BeliefSpan
  readonly from: number
  readonly to: number
}

/** Every two beliefs that share time, in the order in which they began to. */
export function overlapsOf(beliefs: readonly BeliefSpan[]): Overlap[] {
  const byStart = [...beliefs].sort((one, other) => one.from - other.from || one.who - other.who)
  const found: Overlap[] = []
  let open: BeliefSpan[] = []
  for (const other of byStart) {
    open = open.filter(({ to }) => to > other.from)
    if (other.to > other.from) {
      for (const one of open) found.push({ one, other, from: other.from, to: Math.min(one.to, other.to) })
      open.push(other)
    }
  }
  return found
}

export function overlapMs(beliefs: readonly BeliefSpan[]): number {
  return overlapsOf(beliefs).reduce((sum, { from, to }) => sum + to - from, 0)
}

/** Spans that touch do not overlap; nor do those that overlap by no more than `toleranceMs`, for clocks that are not one. */
export function overlaps(beliefs: readonly BeliefSpan[], toleranceMs = 0): Violation[] {
  return overlapsOf(beliefs)
    .filter(({ from, to }) => to - from > toleranceMs)
    .map(violation)
}

function violation({ one, other, from, to }: Overlap): Violation {
  return {
    kind: 'overlap',
    at: from,
    text: `${named(one)} and ${named(other)} both believed that they held the lock, for ${shown(to - from)} ms`,
    who: [one.who, other.who],
  }
}

function named({ who, fence }: BeliefSpan): string {
  return fence === undefined ? `participant ${who}` : `participant ${who} (fence ${fence})`
}

const shown = (ms: number) => Math.round(ms * 10) / 10
