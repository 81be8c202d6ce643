/**
 * Registers as items of the table, changed on condition of their version. One is over when whoever wrote it has written down an end that
 * no clock can be so wrong about; DynamoDB takes it away if its time to live is switched on for `expiresAt`, which only registers have.
 */
import type { Call, Registered, Registers, Version } from '../../driver.js'
import { OutcomeUnknownError } from '../../errors.js'
import { checkRegister, decodeRegister, encodeAnew, REGISTER_PREFIX } from '../register.js'
import type { Item } from './client.js'
import { freshVersion, type Table } from './table.js'

export class DynamoDBRegisters implements Registers {
  readonly #table: Table
  readonly #clockSkewMs: number

  constructor(table: Table, clockSkewMs: number) {
    this.#table = table
    this.#clockSkewMs = clockSkewMs
  }

  async read(key: string, call: Call): Promise<Registered | undefined> {
    const item = await this.#table.read(REGISTER_PREFIX + key, key, call)
    return item && registeredIn(item, this.#longAgo)
  }

  async swap(
    key: string,
    value: string,
    before: Version | undefined,
    ttlMs: number,
    call: Call,
  ): Promise<Version | undefined> {
    checkRegister(key, value, ttlMs)
    const version = freshVersion()
    const endsAt = Date.now() + Math.ceil(ttlMs)
    const { isDone, mayHaveBeen } = await this.#table.change(REGISTER_PREFIX + key, key, call, version, {
      ConditionExpression: before === undefined ? IS_FREE : IS_THIS,
      UpdateExpression:
        'SET #value = :value, #version = :version, #last = :version, #endsAt = :endsAt, #expires = :expires',
      ExpressionAttributeValues: {
        ':value': { S: encodeAnew(value) },
        ':version': { S: version },
        ':endsAt': { N: `${endsAt}` },
        ':expires': { N: `${Math.ceil((endsAt + this.#clockSkewMs) / 1000)}` },
        ':longAgo': { N: `${this.#longAgo}` },
        ...(before !== undefined && { ':old': { S: `${before}` } }),
      },
    })
    // Whoever has changed it again may have seen ours there.
    if (mayHaveBeen)
      throw new OutcomeUnknownError(new Error('it was sent more than once, and another has changed it since'))
    return isDone ? version : undefined
  }

  /** What ended before this moment of its writer's clock is over for everybody. */
  get #longAgo(): number {
    return Date.now() - this.#clockSkewMs
  }
}

const IS_FREE = 'attribute_not_exists(#version) OR #endsAt <= :longAgo'
const IS_THIS = '#version = :old AND #endsAt > :longAgo'

function registeredIn({ value, version, endsAt }: Item, longAgo: number): Registered | undefined {
  if (version?.S === undefined || Number(endsAt?.N) <= longAgo) return undefined
  return { value: decodeRegister(value?.S ?? ''), version: version.S }
}
