/**
 * Locks in a table of DynamoDB: an item for each name, changed on condition of its version, which every extension changes. A lock whose
 * version stays the same for a whole lease by the clock of who wants it is over. The item counts the fences.
 */
import { type Span, spanMs } from '../../time/index.js'
import type { Call, Claim, ClaimResult, Facts, Found, Lease, LockDriver, Registers, Version } from '../driver.js'
import { LockArgumentError, OutcomeUnknownError } from '../errors.js'
import { checkKeys } from '../settings.js'
import type { DynamoDBClient } from './dynamodb/client.js'
import { type Held, LockItems, type Taken } from './dynamodb/lock-items.js'
import { DynamoDBRegisters } from './dynamodb/registers.js'
import { Sightings } from './dynamodb/sightings.js'
import { Table } from './dynamodb/table.js'
import { encodeRecord } from './record.js'

export type { DynamoDBClient } from './dynamodb/client.js'

/** Released by one, and taken by another, again and again in between. */
const MOST_TRIES = 3

export interface DynamoDBOptions {
  /** `new DynamoDB(…)` of `@aws-sdk/client-dynamodb`, version 3. It stays open when the driver is closed. */
  client: DynamoDBClient
  /** With a partition key `lockKey`, which is text, and no sort key. */
  table: string
  /**
   * By how much clocks of two machines may differ. A lock whose holder has written down an end that is longer ago than this is over
   * for who sees it for the first time, too. AWS itself refuses requests of clocks that are 5 minutes wrong. Default 5m.
   */
  maxClockSkew?: Span
}

/** Throws LockArgumentError for options that make no sense. */
export function dynamodb(options: DynamoDBOptions): LockDriver {
  return new DynamoDBDriver(options)
}

const OPTIONS = { client: 1, table: 1, maxClockSkew: 1 } satisfies Record<keyof DynamoDBOptions, 1>

class DynamoDBDriver implements LockDriver {
  readonly kind = 'dynamodb'
  /** A client cannot be sent to a thread. */
  readonly remake = undefined
  readonly registers: Registers
  readonly #name: string
  readonly #table: Table
  readonly #items: LockItems
  readonly #sightings: Sightings

  constructor(options: DynamoDBOptions) {
    checkKeys(options, OPTIONS)
    const { client, table, maxClockSkew = '5m' } = options
    if (typeof client?.updateItem !== 'function') throw new LockArgumentError('client is a DynamoDB of the AWS SDK')
    if (typeof table !== 'string' || table === '') throw new LockArgumentError('table is the name of a table')
    const skewMs = spanMs(maxClockSkew)
    if (skewMs === undefined || skewMs < 0) throw new LockArgumentError("maxClockSkew is a span such as '5m'")
    this.#name = table
    this.#table = new Table(client, table)
    this.#items = new LockItems(this.#table)
    this.#sightings = new Sightings(skewMs)
    this.registers = new DynamoDBRegisters(this.#table, skewMs)
  }

  async claim(claim: Claim, call: Call): Promise<ClaimResult> {
    const { key, name, holder, ttlMs, guarantee } = claim
    const writing = { record: encodeRecord(holder, guarantee === 'fenced' ? 'token' : 'none'), ttlMs }
    let old: string | undefined
    for (let tries = 0; ; tries++) {
      const from = call.clock.now()
      const taken = await this.#items.take(key, writing, old, name, call)
      if ('fence' in taken) {
        if (call.signal?.aborted) await this.#leave(key, taken, call)
        return this.#held(claim, taken, from)
      }
      const found = taken.held && this.#found(taken.held, call)
      if (found !== undefined || tries === MOST_TRIES) return { status: 'busy', found, queued: false }
      old = taken.held?.version
    }
  }

  async extend(lease: Lease, ttlMs: number, call: Call): Promise<Lease | undefined> {
    const { key, name, holder, fence, version } = lease
    const writing = { record: encodeRecord(holder, fence ?? 'none'), ttlMs }
    const from = call.clock.now()
    const after = await this.#items.prolong(key, writing, String(version), this.#sightings.longAgo, name, call)
    return after === undefined ? undefined : { ...lease, version: after, from, granularityMs: 0 }
  }

  async release(key: string, version: Version, call: Call): Promise<boolean> {
    this.#sightings.forget(key)
    return this.#items.free(key, String(version), this.#sightings.longAgo, call)
  }

  async find(key: string, call: Call): Promise<Found | undefined> {
    const held = await this.#items.get(key, key, call)
    return held && this.#found(held, call)
  }

  async *list(keyPrefix: string, call: Call): AsyncGenerator<Found> {
    for await (const held of this.#items.all(keyPrefix, call)) {
      const found = this.#found(held, call)
      if (found !== undefined) yield found
    }
  }

  async facts(key: string, call: Call): Promise<Facts> {
    await this.#items.get(key, key, call)
    const replicas = await this.#table.replicas(key, call)
    return {
      what: `table ${this.#name} of DynamoDB${replicas ? `, written in ${replicas} other regions, too` : ''}`,
      evicts: false,
      survivesRestart: true,
      durable: true,
      granularityMs: 0,
      queues: false,
      replicas: replicas === 0 ? 'majority' : replicas === undefined ? undefined : 'asynchronous',
      remote: true,
      notes: [
        'After a crash a lock is free a whole lease after somebody who wants it has first looked; for who looks but once, maxClockSkew after its end.',
        'An item for each name stays, and counts its fences. Where it is deleted they go on from the time of day; where the table is restored from a backup, they go back.',
        ...(replicas === undefined
          ? ['It may not be asked whether it is a global table, on which locks are not safe.']
          : []),
      ],
    }
  }

  async close(): Promise<void> {}

  /** Rejects with the abort's reason once it is free again; with OutcomeUnknownError where that cannot be told. */
  async #leave(key: string, { version }: Taken, call: Call): Promise<never> {
    const reason = call.signal?.reason
    await this.release(key, version, { ...call, signal: undefined }).catch(() => {
      throw new OutcomeUnknownError(reason)
    })
    throw reason
  }

  #held({ key, name, holder, guarantee }: Claim, taken: Taken, from: number): ClaimResult {
    const fence = guarantee === 'fenced' ? taken.fence : undefined
    this.#sightings.forget(key)
    return {
      status: 'held',
      lease: { key, name, holder, guarantee, fence, version: taken.version, from, granularityMs: 0 },
    }
  }

  /** undefined when it is over. */
  #found(held: Held, { clock }: Call): Found | undefined {
    const leftMs = this.#sightings.leftMs(held, clock.now())
    return leftMs === 0 ? undefined : { ...held.found, leftMs }
  }
}
