/** Two who believed at once. */
import type { BeliefSpan } from '../history.js'

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
