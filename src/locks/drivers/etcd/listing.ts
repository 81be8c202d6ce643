/** All locks whose keys begin so, page by page. The keys of one lock follow each other. */
import { base64, type Json, type KeyValue, type TxnReply } from './messages.js'
import { type FoundPlace, foundOf, lockOf } from './places.js'

const PAGE = 500

export async function* listed(
  keyPrefix: string,
  read: (operation: Json) => Promise<TxnReply>,
): AsyncGenerator<FoundPlace> {
  let together: KeyValue[] = []
  for await (const kv of all(keyPrefix, read)) {
    if (together[0] !== undefined && lockOf(together[0].key) !== lockOf(kv.key)) {
      yield firstOf(together)
      together = []
    }
    together.push(kv)
  }
  if (together.length > 0) yield firstOf(together)
}

async function* all(keyPrefix: string, read: (operation: Json) => Promise<TxnReply>): AsyncGenerator<KeyValue> {
  const end = endOf(keyPrefix)
  for (let from = keyPrefix; ; ) {
    const bounds = { key: base64(from === '' ? '\0' : from), range_end: end.toString('base64') }
    const { ranges } = await read({ request_range: { ...bounds, limit: PAGE } })
    const { kvs, count } = ranges[0] ?? { kvs: [], count: 0 }
    yield* kvs
    const last = kvs.at(-1)
    if (last === undefined || count <= kvs.length) return
    from = `${last.key}\0`
  }
}

/** The first that does not begin so: one more than its last byte, which in UTF-8 is never the highest there is. */
function endOf(prefix: string): Buffer {
  const end = Buffer.from(prefix === '' ? '\0' : prefix)
  if (prefix !== '') end[end.length - 1]++
  // A zero alone is how etcd has it that there is no end.
  return end
}

function firstOf(together: readonly KeyValue[]): FoundPlace {
  const first = together.reduce((one, other) => (other.createRevision < one.createRevision ? other : one))
  return foundOf(first, together.length - 1)
}
