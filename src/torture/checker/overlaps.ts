/** S1: no two acquisitions are believed in at the same time. */
import type { BeliefSpan, Violation } from '../history.js'

/** Spans that touch do not overlap; nor do those that overlap by no more than `toleranceMs`, for clocks that are not one. */
export function overlaps(beliefs: readonly BeliefSpan[], toleranceMs = 0): Violation[] {
  const inOrder = [...beliefs].sort((one, other) => one.from - other.from)
  return inOrder.flatMap((span, i) => {
    const found: Violation[] = []
    for (const earlier of inOrder.slice(0, i)) {
      const ms = Math.min(earlier.to, span.to) - span.from
      if (ms > Math.max(0, toleranceMs)) found.push(overlap(earlier, span, ms))
    }
    return found
  })
}

function overlap(earlier: BeliefSpan, later: BeliefSpan, ms: number): Violation {
  return {
    kind: 'overlap',
    at: later.from,
    text: `${named(earlier)} and ${named(later)} both believed that they held the lock, for ${shown(ms)} ms`,
    who: [earlier.who, later.who],
  }
}

function named({ who, fence }: BeliefSpan): string {
  return fence === undefined ? `participant ${who}` : `participant ${who} (fence ${fence})`
}

const shown = (ms: number) => Math.round(ms * 10) / 10
