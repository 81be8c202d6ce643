/**
 * The items of locks: one for each name that was ever locked, which stays when the lock is released, since it counts the fences. Every
 * change is conditional.
 */
import type { Call, Found } from '../../driver.js'
import { decodeRecord, FOREIGN } from '../record.js'
import type { Item, Values } from './client.js'
import { freshVersion, KEY, type Table } from './table.js'

export interface Held {
  readonly key: string
  readonly found: Omit<Found, 'leftMs'>
  readonly version: string
  readonly ttlMs: number | undefined
  readonly endsAt: number
}

export interface Taken {
  readonly version: string
  readonly fence: bigint
}

/** What a lock is to be. */
export interface Writing {
  readonly record: string
  readonly ttlMs: number
}

const IS_FREE = 'attribute_not_exists(#record)'
const IS_THIS = '#version = :old'
/** Of what somebody else has put there. */
const HAS_NONE = 'attribute_exists(#record) AND attribute_not_exists(#version)'
const IS_NOT_OVER = '#endsAt > :longAgo'

export class LockItems {
  readonly #table: Table

  constructor(table: Table) {
    this.#table = table
  }

  /** With what is there instead when it is not free or, with `old`, not in that version. */
  async take(
    key: string,
    { record, ttlMs }: Writing,
    old: string | undefined,
    lock: string,
    call: Call,
  ): Promise<Taken | { readonly held: Held | undefined }> {
    const version = freshVersion()
    const values = {
      ...written(record, version, ttlMs),
      // A name that was never locked, or whose item was deleted, counts from this moment, in microseconds.
      ':seed': { N: `${Date.now() * 1000}` },
      ':one': { N: '1' },
      ...(old !== undefined && { ':old': { S: old } }),
    }
    const { isDone, item } = await this.#table.change(key, lock, call, version, {
      ConditionExpression: old === undefined ? IS_FREE : IS_THIS,
      UpdateExpression: `${WRITE}, #last = :version, #fence = if_not_exists(#fence, :seed) + :one`,
      ExpressionAttributeValues: values,
    })
    return isDone ? { version, fence: BigInt(item?.fence?.N ?? 0) } : { held: item && heldOf(item) }
  }

  /** The new version; undefined when it is another, or over. */
  async prolong(key: string, { record, ttlMs }: Writing, old: string, longAgo: number, lock: string, call: Call) {
    const version = freshVersion()
    const { isDone } = await this.#table.change(key, lock, call, version, {
      ConditionExpression: `${IS_THIS} AND ${IS_NOT_OVER}`,
      UpdateExpression: `${WRITE}, #last = :version`,
      ExpressionAttributeValues: {
        ...written(record, version, ttlMs),
        ':old': { S: old },
        ':longAgo': { N: `${longAgo}` },
      },
    })
    return isDone ? version : undefined
  }

  /** False when it is another, or over. An empty version is that of what is no lock. */
  async free(key: string, old: string, longAgo: number, call: Call): Promise<boolean> {
    const last = freshVersion()
    const isLock = old !== ''
    const { isDone } = await this.#table.change(key, key, call, last, {
      ConditionExpression: isLock ? `${IS_THIS} AND ${IS_NOT_OVER}` : HAS_NONE,
      UpdateExpression: 'SET #last = :last REMOVE #record, #version, #leaseMs, #endsAt',
      ExpressionAttributeValues: {
        ':last': { S: last },
        ...(isLock && { ':old': { S: old }, ':longAgo': { N: `${longAgo}` } }),
      },
    })
    return isDone
  }

  async get(key: string, lock: string, call: Call): Promise<Held | undefined> {
    const item = await this.#table.read(key, lock, call)
    return item && heldOf(item)
  }

  /** All whose keys begin so. */
  async *all(keyPrefix: string, call: Call): AsyncGenerator<Held> {
    for await (const item of this.#table.scan(keyPrefix, call)) {
      const held = heldOf(item)
      if (held?.key.startsWith(keyPrefix)) yield held
    }
  }
}

const WRITE = 'SET #record = :record, #version = :version, #leaseMs = :leaseMs, #endsAt = :endsAt'

function written(record: string, version: string, ttlMs: number): Values {
  return {
    ':record': { S: record },
    ':version': { S: version },
    ':leaseMs': { N: `${ttlMs}` },
    ':endsAt': { N: `${Date.now() + Math.ceil(ttlMs)}` },
  }
}

/** undefined for one that only counts fences. */
function heldOf(item: Item): Held | undefined {
  const { record, version: { S: version = '' } = {}, leaseMs, endsAt } = item
  if (record === undefined) return undefined
  const { holder, fence } = decodeRecord(Buffer.from(record.S ?? record.B ?? '')) ?? FOREIGN
  const counted = item.fence?.N === undefined ? undefined : BigInt(item.fence.N)
  const key = item[KEY]?.S ?? ''
  const found = {
    key,
    holder,
    fence: fence === 'token' ? counted : fence === 'none' ? undefined : fence,
    version,
    waiters: undefined,
  }
  return { key, found, version, ttlMs: version === '' ? undefined : Number(leaseMs?.N), endsAt: Number(endsAt?.N) }
}
