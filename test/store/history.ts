/**
 * Whether a concurrent history of one key is linearizable: whether its operations can be put into one order that
 * keeps the order of those that did not overlap, and in which a single item would have answered the same.
 *
 * The search is Wing and Gong's ("Testing and verifying concurrent objects", 1993) with Lowe's memory of states seen
 * ("Testing for linearizability", 2017). As every thread is sequential, how far each has come says what is done.
 */
export interface Operation {
  readonly thread: number
  /** Moments of call and return, on one clock for all threads. */
  readonly start: number
  readonly end: number
  readonly kind: 'get' | 'set' | 'cas' | 'add' | 'delete' | 'incr'
  /** Whether the item was found (get, delete, incr) or the change was made (set, cas, add). */
  readonly done: boolean
  /** Of the item seen or made. */
  readonly value?: string
  readonly token?: bigint
  /** That a cas compared with. */
  readonly compare?: bigint
  /** A cas that found an item with another token. */
  readonly exists?: boolean
}

interface State {
  readonly value: string | undefined
  readonly token: bigint
  /** The greatest token there ever was: they strictly rise. */
  readonly highest: bigint
}

const GONE: Omit<State, 'highest'> = { value: undefined, token: 0n }

/** The states that the operation, with its answer, can lead to from `state`: none when it cannot answer so. */
function step(state: State, operation: Operation, mayEvict: boolean): State | undefined {
  const there = state.value !== undefined
  const { kind, done, value, token = 0n } = operation
  const absent = !there || mayEvict ? { ...GONE, highest: state.highest } : undefined
  const made = token > state.highest ? { value, token, highest: token } : undefined
  switch (kind) {
    case 'get':
      if (!done) return absent
      return state.value === value && state.token === token ? state : undefined
    case 'set':
      return made
    case 'add':
      if (done) return absent && made
      return there ? state : undefined
    case 'delete':
      if (done) return there ? { ...GONE, highest: state.highest } : undefined
      return absent
    case 'incr':
      if (!done) return absent
      return there && BigInt(state.value!) + 1n === BigInt(value!) ? made : undefined
    case 'cas':
      if (done) return there && state.token === operation.compare ? made : undefined
      if (operation.exists) return there && state.token !== operation.compare ? state : undefined
      return absent
  }
}

/** True when the history is linearizable, beginning with no item. With `mayEvict` an item may vanish at any time. */
export function isLinearizable(history: readonly Operation[], mayEvict = false): boolean {
  const threads = new Map<number, Operation[]>()
  for (const operation of [...history].sort((a, b) => a.start - b.start)) {
    const own = threads.get(operation.thread) ?? []
    own.push(operation)
    threads.set(operation.thread, own)
  }
  const lanes = [...threads.values()]
  const seen = new Set<string>()
  const open: { done: number[]; state: State }[] = [{ done: lanes.map(() => 0), state: { ...GONE, highest: 0n } }]
  for (let config = open.pop(); config !== undefined; config = open.pop()) {
    const { done, state } = config
    const next = lanes.map((lane, i) => lane[done[i]!])
    if (next.every((operation) => operation === undefined)) return true
    const firstEnd = Math.min(...next.map((operation) => operation?.end ?? Number.POSITIVE_INFINITY))
    for (const [i, operation] of next.entries()) {
      // What began after another had ended comes after it.
      if (operation === undefined || operation.start > firstEnd) continue
      const after = step(state, operation, mayEvict)
      if (after === undefined) continue
      const progress = done.with(i, done[i]! + 1)
      const name = `${progress}/${after.token}/${after.highest}`
      if (seen.has(name)) continue
      seen.add(name)
      open.push({ done: progress, state: after })
    }
  }
  return false
}
