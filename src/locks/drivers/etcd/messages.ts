/** What is sent to etcd's JSON gateway and comes back: numbers of 64 bits are text, keys and values base64. */

export interface KeyValue {
  readonly key: string
  readonly value: Buffer
  readonly createRevision: bigint
  readonly modRevision: bigint
  /** 0 for none. */
  readonly lease: bigint
}

export interface Range {
  readonly kvs: readonly KeyValue[]
  /** Of all in the range, also those beyond the limit. */
  readonly count: number
}

export interface TxnReply {
  readonly succeeded: boolean
  /** Of the moment; never less than what anybody was told before. */
  readonly revision: bigint
  readonly clusterId: string
  /** One for each operation; none for one that is no range. */
  readonly ranges: readonly Range[]
  /** What a deletion or a put with `prev_kv` found. */
  readonly previous: KeyValue | undefined
}

/** Parts of a request, as the gateway has them. */
export type Json = Readonly<Record<string, unknown>>

export interface Txn {
  readonly compare?: readonly Json[]
  readonly success: readonly Json[]
  readonly failure?: readonly Json[]
}

/** The bounds of all that begins so; none for what is this key alone. */
export function rangeOf(from: string, to: string): Json {
  return { key: base64(from), range_end: base64(to) }
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

export function txnReply(json: Json): TxnReply {
  const {
    header,
    succeeded = false,
    responses = [],
  } = json as {
    header: { revision: string; cluster_id: string }
    succeeded?: boolean
    responses?: Record<string, { kvs?: Json[]; count?: string; prev_kv?: Json; prev_kvs?: Json[] }>[]
  }
  const parts = responses.map((response) => Object.values(response)[0] ?? {})
  const previous = parts.flatMap(({ prev_kv: put, prev_kvs: deleted = [] }) => (put ? [put] : deleted))[0]
  return {
    succeeded,
    revision: BigInt(header.revision),
    clusterId: header.cluster_id,
    ranges: parts.map(({ kvs = [], count = '0' }) => ({ kvs: kvs.map(keyValue), count: Number(count) })),
    previous: previous && keyValue(previous),
  }
}

function keyValue(json: Json): KeyValue {
  const {
    key,
    value = '',
    create_revision: created,
    mod_revision: modified,
    lease = '0',
  } = json as Record<string, string>
  return {
    key: Buffer.from(key ?? '', 'base64').toString(),
    value: Buffer.from(value, 'base64'),
    createRevision: BigInt(created ?? 0),
    modRevision: BigInt(modified ?? 0),
    lease: BigInt(lease),
  }
}
