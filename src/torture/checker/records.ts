/** The lives of the lock's records, put together from what the servers did. */
import type { Deed } from '../history.js'

export interface Life {
  readonly key: string
  readonly from: number
  /** Infinity: it is there still. */
  to: number
  /** Who has written it last; undefined: nobody who takes part. */
  writer: number | undefined
  /** What took it away, or took its place. */
  end: Deed | undefined
}

/** Deeds in the order in which they were done. */
export function livesOf(deeds: readonly Deed[]): Life[] {
  const lives: Life[] = []
  const current = new Map<string, Life>()
  for (const deed of deeds) {
    const { key, at, what } = deed
    const life = current.get(key)
    if (life !== undefined && what === 'change') {
      // A touch leaves the record whose it was.
      if (deed.before !== deed.after) life.writer = deed.by
      continue
    }
    if (life !== undefined) {
      life.to = at
      life.end = deed
      current.delete(key)
    }
    if (what !== 'add' && what !== 'change') continue
    const born: Life = { key, from: at, to: Number.POSITIVE_INFINITY, writer: deed.by, end: undefined }
    lives.push(born)
    current.set(key, born)
  }
  return lives
}
