/**
 * Whether what a client was told about one key can be true: whether its operations can be put into one order, each
 * between its call and its answer, in which a single item would have answered the same. Operations whose outcome is not
 * known may have happened at any time after their call, or never.
 *
 * The search is Wing and Gong's ("Testing and verifying concurrent objects", 1993) with Lowe's memory of states seen
 * ("Testing for linearizability", 2017).
 */
export type Kind = 'get' | 'set' | 'add' | 'replace' | 'cas' | 'delete' | 'touch'

export interface Operation {
  readonly kind: Kind
  /** Moments of call and answer, on one clock. */
  readonly start: number
  readonly end: number
  /** Undefined when it is not known whether it was done. */
  readonly outcome: 'done' | 'refused' | undefined
  /** That a get saw (undefined for a miss), or that was to be stored. Different for each store. */
  readonly value?: string | undefined
  /** The value whose token was given along. */
  readonly expected?: string | undefined
  /** Of a cas that was refused: whether it found another item. */
  readonly exists?: boolean
}

type Item = string | undefined
const IMPOSSIBLE = Symbol('impossible')

/** What is there afterwards, if the operation does its work on `item`; the same when it has to refuse. */
function worked(item: Item, { kind, value, expected }: Operation): Item {
  switch (kind) {
    case 'set':
      return value
    case 'add':
      return item ?? value
    case 'replace':
      return item === undefined ? undefined : value
    case 'cas':
      return item === expected ? value : item
    case 'delete':
      return expected === undefined || item === expected ? undefined : item
    default:
      return item
  }
}

function refuses(item: Item, { kind, expected, exists }: Operation): boolean {
  if (kind === 'add') return item !== undefined
  if (kind === 'cas') return exists ? item !== undefined && item !== expected : item === undefined
  if (kind === 'delete' && expected !== undefined) return item !== expected
  return item === undefined
}

/** What is there afterwards, if the operation, with the answer it got, came upon `item`. */
function step(item: Item, operation: Operation): Item | typeof IMPOSSIBLE {
  const { kind, outcome, value, expected } = operation
  if (outcome === undefined) return worked(item, operation)
  if (outcome === 'refused') return refuses(item, operation) ? item : IMPOSSIBLE
  if (kind === 'get') return item === value ? item : IMPOSSIBLE
  if (kind === 'add' && item !== undefined) return IMPOSSIBLE
  if (kind !== 'add' && kind !== 'set' && item === undefined) return IMPOSSIBLE
  if (expected !== undefined && item !== expected) return IMPOSSIBLE
  return worked(item, operation)
}

/** True when the history can be true, beginning with no item, which may vanish by itself up to so many times. */
export function isPossible(history: readonly Operation[], vanishings = 0): boolean {
  const known = history.filter(({ outcome }) => outcome !== undefined).sort((one, other) => one.start - other.start)
  const unknown = history.filter(({ outcome, kind }) => outcome === undefined && kind !== 'get' && kind !== 'touch')
  const operations = [...known, ...unknown]
  const allKnown = (1n << BigInt(known.length)) - 1n
  const seen = new Set<string>()
  const open: { done: bigint; item: Item; left: number }[] = [{ done: 0n, item: undefined, left: vanishings }]
  const reach = (done: bigint, item: Item, left: number) => {
    const name = `${done}/${left}/${String(item)}`
    if (seen.has(name)) return
    seen.add(name)
    open.push({ done, item, left })
  }
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { done, item, left } = at
    if ((done & allKnown) === allKnown) return true
    // Tried last of all.
    if (left > 0 && item !== undefined) reach(done, undefined, left - 1)
    const firstEnd = firstToEnd(known, done)
    // Backwards, so that what is known and began first is tried first.
    for (let i = operations.length - 1; i >= 0; i--) {
      const bit = 1n << BigInt(i)
      // What began after another had ended comes after it.
      if ((done & bit) !== 0n || operations[i].start > firstEnd) continue
      const after = step(item, operations[i])
      if (after !== IMPOSSIBLE) reach(done | bit, after, left)
    }
  }
  return false
}

function firstToEnd(known: readonly Operation[], done: bigint): number {
  let first = Number.POSITIVE_INFINITY
  for (let i = 0; i < known.length; i++) {
    if ((done & (1n << BigInt(i))) === 0n) first = Math.min(first, known[i].end)
  }
  return first
}
