/** S2: who comes later has the greater fence. */
import type { BeliefSpan, Update, Violation } from '../history.js'

/** `entry`: `belief`: holders enter in the order in which they were granted the lock, as long as no two ever hold. */
export interface FenceOrder {
  readonly beliefs: readonly BeliefSpan[]
  readonly updates: readonly Update[]
  /**
   * False where two may hold for a while: then the reply to the earlier one may come after the later one is done. Nothing is said
   * but about holders who began to ask when the other had entered.
   */
  readonly exclusive: boolean
}

export function fenceOrder({ beliefs, updates, exclusive }: FenceOrder): Violation[] {
  const fenced = beliefs.filter((span) => span.fence !== undefined)
  return fenced.flatMap((later) => {
    // Granted after this moment, for certain.
    const since = exclusive ? later.from : askedAt(later, updates)
    const earlier = greatest(fenced.filter((span) => span !== later && span.from < since))
    return earlier !== undefined && BigInt(earlier.fence!) >= BigInt(later.fence!) ? [wrong(earlier, later)] : []
  })
}

/** Since when it was asked for; what nobody has written down is said nothing about. */
function askedAt({ who, from }: BeliefSpan, updates: readonly Update[]): number {
  const update = updates.find((each) => each.who === who && each.from <= from && from <= each.to)
  return update?.from ?? Number.NEGATIVE_INFINITY
}

function greatest(spans: readonly BeliefSpan[]): BeliefSpan | undefined {
  let best: BeliefSpan | undefined
  for (const span of spans) if (best === undefined || BigInt(span.fence!) > BigInt(best.fence!)) best = span
  return best
}

function wrong(earlier: BeliefSpan, later: BeliefSpan): Violation {
  return {
    kind: 'fence order',
    at: later.from,
    text: `participant ${later.who} came after participant ${earlier.who} with fence ${later.fence}, which is not above ${earlier.fence}`,
    who: [earlier.who, later.who],
  }
}
