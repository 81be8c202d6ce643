/** The history of the lock as one of a mutex, for the search for a legal order. */
import type { BeliefSpan, History, Update, Violation } from '../history.js'
import { cannotBeOrdered, type Operation } from './linearizable.js'

export interface MutexOptions {
  /**
   * Where no fault was made, and errors are told: a release has taken effect when its update is done, and who is told `busy` was so because
   * somebody had the lock. Elsewhere a record may outlive its holder, and neither can be said.
   */
  readonly faultless: boolean
  readonly toleranceMs: number
}

/** Nothing but what `overlaps` finds, and, where no fault was made, those who were told that a free lock is busy. */
export function mutexOrder({ beliefs, updates }: History, options: MutexOptions): Violation[] {
  const holds = beliefs.flatMap((span, hold) => holding(span, hold, updates, options))
  const overlap = cannotBeOrdered(holds)
  if (overlap !== undefined) return [noOrder('overlap', overlap, 'no mutex could have been acquired and released so')]
  if (!options.faultless) return []
  const unknown = updates.flatMap((update, i) => unknownHolding(update, beliefs.length + i, beliefs))
  const refused = updates.filter(({ outcome }) => outcome === 'busy').map(busy)
  const stuck = cannotBeOrdered([...holds, ...unknown, ...refused])
  return stuck === undefined ? [] : [noOrder('stuck', stuck, 'somebody was told busy while nobody had the lock')]
}

function holding(span: BeliefSpan, hold: number, updates: readonly Update[], options: MutexOptions): Operation[] {
  const update = updates.find((each) => isDuring(span, each))
  const isOver = options.faultless && update?.outcome === 'done'
  return [
    { what: 'acquire', hold, from: Math.min(update?.from ?? span.from, span.from), to: span.from },
    {
      what: 'release',
      hold,
      from: Math.max(span.from, span.to - options.toleranceMs),
      to: isOver ? update.to : Number.POSITIVE_INFINITY,
    },
  ]
}

/** Who failed or was cut off may have had it all the same, and nobody knows until when. */
function unknownHolding(update: Update, hold: number, beliefs: readonly BeliefSpan[]): Operation[] {
  const { outcome, from } = update
  if (outcome !== 'failed' && outcome !== 'cut') return []
  if (beliefs.some((span) => isDuring(span, update))) return []
  const open = { hold, from, to: Number.POSITIVE_INFINITY, optional: true }
  return [
    { what: 'acquire', ...open },
    { what: 'release', ...open },
  ]
}

function busy({ from, to }: Update): Operation {
  return { what: 'busy', from, to }
}

function isDuring({ who, from }: BeliefSpan, update: Update): boolean {
  return update.who === who && update.from <= from && from <= update.to
}

function noOrder(kind: Violation['kind'], { what, to, from }: Operation, why: string): Violation {
  return { kind, at: from, text: `${why}: no legal order reaches the ${what} of ${from} to ${to} ms`, who: [] }
}
