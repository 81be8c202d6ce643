/** S3: nobody frees, extends or overwrites what another has written. */
import type { Deed, Violation } from '../history.js'

export function ownership(deeds: readonly Deed[]): Violation[] {
  /** Of each key's record; undefined: nobody who takes part. */
  const writers = new Map<string, number | undefined>()
  const found: Violation[] = []
  for (const deed of deeds) {
    const { key, by, what } = deed
    const writer = writers.get(key)
    const isTouching = what === 'change' || what === 'delete'
    if (isTouching && by !== undefined && writer !== undefined && by !== writer) found.push(wrong(deed, by, writer))
    if (what === 'add' || (what === 'change' && deed.before !== deed.after)) writers.set(key, by)
    else if (what !== 'change') writers.delete(key)
  }
  return found
}

function wrong({ at, what }: Deed, by: number, writer: number): Violation {
  const did = what === 'delete' ? 'deleted' : 'changed'
  return {
    kind: 'ownership',
    at,
    text: `participant ${by} ${did} the lock of participant ${writer}`,
    who: [by, writer],
  }
}
