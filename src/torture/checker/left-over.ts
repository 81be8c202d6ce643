/** When nothing went wrong, a release leaves nothing: to be asked only where no fault was made. */
import type { Deed, Update, Violation } from '../history.js'
import { livesOf } from './records.js'

/** A participant does one thing after the other, so that what is there when its update has ended was left by it. */
export function leftOver(deeds: readonly Deed[], updates: readonly Update[]): Violation[] {
  const lives = livesOf(deeds)
  return updates
    .filter((update) => update.outcome !== 'cut')
    .filter(({ who, to }) => lives.some((life) => life.writer === who && life.from <= to && life.to > to))
    .map(({ who, to, id, outcome }) => ({
      kind: 'left over',
      at: to,
      text: `participant ${who} ended ${id} as ${outcome}, and its lock was still there`,
      who: [who],
    }))
}
