/**
 * Where a lock's nodes are: each who wants the lock has a node of its own below the lock's, and the one with the least number holds.
 * `<root>/<key>/<owner>-<number>`; every extension replaces it by one with the same number, `<owner>-<number>.<extensions>`.
 */
const PLACE = /^([0-9a-f]{32})-(-?\d{10})(?:\.(\d+))?$/

export interface Place {
  readonly name: string
  readonly owner: string
  readonly number: number
  readonly extensions: number
}

/** `.` and `..` are no names; a slash would be a path. */
export function nodeOf(root: string, key: string): string {
  const name = encodeURIComponent(key).replaceAll('%3A', ':')
  return `${root}/${/^\.+$/.test(name) ? name.replaceAll('.', '%2E') : name}`
}

/** undefined for what no lock has been named. */
export function keyOf(name: string): string | undefined {
  try {
    return decodeURIComponent(name)
  } catch {
    return undefined
  }
}

/** undefined for what somebody else has put there. */
export function placeOf(name: string): Place | undefined {
  const [, owner, number, extensions = '0'] = PLACE.exec(name) ?? []
  if (owner === undefined) return undefined
  return { name, owner, number: Number(number), extensions: Number(extensions) }
}

export function extended({ owner, number, extensions }: Place): string {
  return `${owner}-${String(number).padStart(10, '0')}.${extensions + 1}`
}

/** First who holds, then who waits. What is no place comes before all: whoever has put it there holds the lock, in effect. */
export function inOrder(names: readonly string[]): string[] {
  const all = names.map((name) => ({ name, place: placeOf(name) }))
  all.sort((a, b) => {
    if (a.place === undefined || b.place === undefined)
      return Number(a.place !== undefined) - Number(b.place !== undefined)
    // The numbers are of 32 bits, and begin anew from below when they have come to the end.
    return (a.place.number - b.place.number) | 0
  })
  return all.map(({ name }) => name)
}
