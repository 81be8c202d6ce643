/** S5: what was told as done is in the set. */
import type { Update, Violation } from '../history.js'

export function lostUpdates(updates: readonly Update[], final: readonly string[]): Violation[] {
  const there = new Set(final)
  return updates
    .filter(({ id, outcome }) => outcome === 'done' && !there.has(id))
    .map(({ id, who, to }) => ({
      kind: 'lost update',
      at: to,
      text: `participant ${who} was told that ${id} is done, and it is not in the set`,
      who: [who],
    }))
}
