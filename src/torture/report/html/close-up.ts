/** The part of a run that one has to see from near. */

import type { Run } from '../../campaign/result.js'
import { overlapsOf } from '../../checker/overlaps.js'
import type { Window } from './scale.js'

/** What is around the longest overlap, or the first violation. Undefined when that is most of the run anyway. */
export function closeUpOf({ history, violations }: Run): Window | undefined {
  const [longest] = overlapsOf(history.beliefs).sort((one, other) => other.to - other.from - (one.to - one.from))
  const at = violations[0]?.at ?? 0
  const { from, to } = longest ?? { from: at, to: at }
  const around = Math.max(2 * (to - from), longest === undefined ? 500 : 50)
  const window = { from: Math.max(0, from - around), to: Math.min(history.endedAt, to + around) }
  const isNear = window.to > window.from && window.to - window.from < history.endedAt / 3
  return isNear ? window : undefined
}
