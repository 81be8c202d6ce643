/**
 * The items of the table: one for each name that was ever locked, which stays when the lock is released, since it counts the fences.
 * Every change is conditional. The SDK sends a request again when it gets no answer: a condition that does not hold may then be one
 * that our own first try has made untrue, which is looked for.
 */
import { randomBytes } from 'node:crypto'
import type { Call, Found } from '../../driver.js'
import { decodeRecord, FOREIGN } from '../record.js'
import type { DynamoDBClient, Expressions, Item, Values } from './client.js'
import { sending } from './outcome.js'

export const KEY = 'lockKey'
const NAMES = {
  '#record': 'record',
  '#version': 'version',
  '#leaseMs': 'leaseMs',
  '#endsAt': 'endsAt',
  '#fence': 'fence',
  '#last': 'last',
}

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

export class Table {
  readonly #client: DynamoDBClient
  readonly #name: string

  constructor(client: DynamoDBClient, name: string) {
    this.#client = client
    this.#name = name
  }

  /** With what is there instead when it is not free or, with `old`, not in that version. */
  async take(
    key: string,
    { record, ttlMs }: Writing,
    old: string | undefined,
    lock: string,
    call: Call,
  ): Promise<Taken | { readonly held: Held | undefined }> {
    const version = fresh()
    const values = {
      ...written(record, version, ttlMs),
      // A name that was never locked, or whose item was deleted, counts from this moment, in microseconds.
      ':seed': { N: `${Date.now() * 1000}` },
      ':one': { N: '1' },
      ...(old !== undefined && { ':old': { S: old } }),
    }
    const { isDone, item } = await this.#change(key, lock, call, version, {
      ConditionExpression: old === undefined ? IS_FREE : IS_THIS,
      UpdateExpression: `${WRITE}, #last = :version, #fence = if_not_exists(#fence, :seed) + :one`,
      ExpressionAttributeValues: values,
    })
    return isDone ? { version, fence: BigInt(item?.fence?.N ?? 0) } : { held: item && heldOf(item) }
  }

  /** The new version; undefined when it is another, or over. */
  async prolong(key: string, { record, ttlMs }: Writing, old: string, longAgo: number, lock: string, call: Call) {
    const version = fresh()
    const { isDone } = await this.#change(key, lock, call, version, {
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
    const last = fresh()
    const isLock = old !== ''
    const { isDone } = await this.#change(key, key, call, last, {
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
    const item = await this.#read(key, lock, call)
    return item && heldOf(item)
  }

  /** All whose keys begin so. */
  async *all(keyPrefix: string, call: Call): AsyncGenerator<Held> {
    let from: Values | undefined
    do {
      const input = { TableName: this.#name, ConsistentRead: true, ...(from && { ExclusiveStartKey: from }) }
      const page = await sending(keyPrefix, false, call, (options) => this.#client.scan(input, options))
      for (const item of page?.Items ?? []) {
        const held = heldOf(item)
        if (held?.key.startsWith(keyPrefix)) yield held
      }
      const last = page?.LastEvaluatedKey?.[KEY]?.S
      from = last === undefined ? undefined : { [KEY]: { S: last } }
    } while (from !== undefined)
  }

  /** In how many other regions it is written, too; undefined where that may not be asked. */
  async replicas(lock: string, call: Call): Promise<number | undefined> {
    const asked = sending(lock, false, call, (options) =>
      this.#client.describeTable({ TableName: this.#name }, options),
    )
    return asked.then((reply) => reply?.Table?.Replicas?.length ?? 0).catch(() => undefined)
  }

  /** What is there then. `mark` is what only this change writes. */
  async #change(
    key: string,
    lock: string,
    call: Call,
    mark: string,
    expressions: Expressions,
  ): Promise<{ readonly isDone: boolean; readonly item: Item | undefined }> {
    const input = {
      TableName: this.#name,
      Key: { [KEY]: { S: key } },
      ExpressionAttributeNames: namesIn(expressions),
      ReturnValues: 'UPDATED_NEW',
      ...expressions,
    } as const
    const reply = await sending(lock, true, call, (options) => this.#client.updateItem(input, options))
    if (reply !== undefined) return { isDone: true, item: reply.Attributes }
    const item = await this.#read(key, lock, { ...call, signal: undefined })
    return { isDone: item?.last?.S === mark, item }
  }

  async #read(key: string, lock: string, call: Call): Promise<Item | undefined> {
    const input = { TableName: this.#name, Key: { [KEY]: { S: key } }, ConsistentRead: true }
    const reply = await sending(lock, false, call, (options) => this.#client.getItem(input, options))
    return reply?.Item
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

/** DynamoDB refuses names that are not used. */
function namesIn({ ConditionExpression, UpdateExpression }: Expressions): Record<string, string> {
  const text = `${ConditionExpression} ${UpdateExpression}`
  return Object.fromEntries(Object.entries(NAMES).filter(([name]) => text.includes(name)))
}

/** Never comes again. */
function fresh(): string {
  return randomBytes(16).toString('hex')
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
