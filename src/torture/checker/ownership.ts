/** S3: nobody frees, extends or overwrites what another has written, nor makes anew what was lost. */
import type { Deed, Violation } from '../history.js'

export function ownership(deeds: readonly Deed[]): Violation[] {
  /** Of each key's record; undefined: nobody who takes part. */
  const writers = new Map<string, number | undefined>()
  const added = new Set<string>()
  const found: Violation[] = []
  for (const deed of deeds) {
    const { key, by, what } = deed
    const writer = writers.get(key)
    const isTouching = what === 'change' || what === 'delete'
    if (isTouching && by !== undefined && writer !== undefined && by !== writer) found.push(wrong(deed, by, writer))
    if (what === 'add' && by !== undefined) {
      // Every acquisition writes a record of its own: its owner token is in it.
      if (added.has(deed.after!)) found.push(again(deed, by))
      added.add(deed.after!)
    }
    if (what === 'add' || (what === 'change' && deed.before !== deed.after)) writers.set(key, by)
    else if (what !== 'change') writers.delete(key)
  }
  return found
}

function again({ at }: Deed, by: number): Violation {
  return { kind: 'ownership', at, text: `participant ${by} made a lock anew that it had lost`, who: [by] }
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
