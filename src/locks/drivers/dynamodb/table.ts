/**
 * The table: items are changed on a condition, and read as they are. The SDK sends a request again when it gets no answer: a condition
 * that does not hold may then be one that our own first try has made untrue, which is looked for.
 */
import { randomBytes } from 'node:crypto'
import type { Call } from '../../driver.js'
import { OutcomeUnknownError } from '../../errors.js'
import type { DynamoDBClient, Expressions, Item, Values } from './client.js'
import { ConditionFailed, sending } from './outcome.js'

export const KEY = 'lockKey'
/** In expressions they have other names, since some of their own are DynamoDB's words. */
const NAMES = {
  '#record': 'record',
  '#version': 'version',
  '#leaseMs': 'leaseMs',
  '#endsAt': 'endsAt',
  '#fence': 'fence',
  '#last': 'last',
  '#value': 'value',
  '#expires': 'expiresAt',
}

export interface Changed {
  readonly isDone: boolean
  /** It is not there, but may have been, and has been changed again. */
  readonly mayHaveBeen: boolean
  /** What is there then. */
  readonly item: Item | undefined
}

export class Table {
  readonly #client: DynamoDBClient
  readonly #name: string

  constructor(client: DynamoDBClient, name: string) {
    this.#client = client
    this.#name = name
  }

  /** `mark` is what only this change writes, as `#last`. */
  async change(key: string, lock: string, call: Call, mark: string, expressions: Expressions): Promise<Changed> {
    const input = {
      TableName: this.#name,
      Key: { [KEY]: { S: key } },
      ExpressionAttributeNames: namesIn(expressions),
      ReturnValues: 'UPDATED_NEW',
      ...expressions,
    } as const
    try {
      const reply = await sending(lock, true, call, (options) => this.#client.updateItem(input, options))
      return { isDone: true, mayHaveBeen: false, item: reply.Attributes }
    } catch (error) {
      if (error instanceof ConditionFailed) return await this.#refused(error, key, lock, call, mark)
      throw error
    }
  }

  async #refused(
    { mayBeDone }: ConditionFailed,
    key: string,
    lock: string,
    call: Call,
    mark: string,
  ): Promise<Changed> {
    try {
      const item = await this.read(key, lock, { ...call, signal: undefined })
      const isDone = item?.last?.S === mark
      return { isDone, mayHaveBeen: mayBeDone && !isDone, item }
    } catch (error) {
      throw mayBeDone ? new OutcomeUnknownError(error) : error
    }
  }

  async read(key: string, lock: string, call: Call): Promise<Item | undefined> {
    const input = { TableName: this.#name, Key: { [KEY]: { S: key } }, ConsistentRead: true }
    const reply = await sending(lock, false, call, (options) => this.#client.getItem(input, options))
    return reply.Item
  }

  async *scan(lock: string, call: Call): AsyncGenerator<Item> {
    let from: Values | undefined
    do {
      const input = { TableName: this.#name, ConsistentRead: true, ...(from && { ExclusiveStartKey: from }) }
      const page = await sending(lock, false, call, (options) => this.#client.scan(input, options))
      yield* page.Items ?? []
      const last = page.LastEvaluatedKey?.[KEY]?.S
      from = last === undefined ? undefined : { [KEY]: { S: last } }
    } while (from !== undefined)
  }

  /** In how many other regions it is written, too; undefined where that may not be asked. */
  async replicas(lock: string, call: Call): Promise<number | undefined> {
    const asked = sending(lock, false, call, (options) =>
      this.#client.describeTable({ TableName: this.#name }, options),
    )
    return asked.then((reply) => reply.Table?.Replicas?.length ?? 0).catch(() => undefined)
  }
}

/** DynamoDB refuses names that are not used. */
function namesIn({ ConditionExpression, UpdateExpression }: Expressions): Record<string, string> {
  const text = `${ConditionExpression} ${UpdateExpression}`
  return Object.fromEntries(Object.entries(NAMES).filter(([name]) => text.includes(name)))
}

/** Never comes again. */
export function freshVersion(): string {
  return randomBytes(16).toString('hex')
}
