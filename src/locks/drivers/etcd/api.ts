/**
 * The requests of etcd that locks are made of, as its JSON gateway has them: numbers of 64 bits are text, keys and values base64.
 * https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/
 */
import { randomBytes } from 'node:crypto'
import type { Call } from '../../driver.js'
import { LockArgumentError, LockUnavailableError, OutcomeUnknownError } from '../../errors.js'
import type { Endpoints } from '../http/endpoints.js'
import { HttpFailure, type HttpReply } from '../http/exchange.js'

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

export interface Account {
  readonly username: string
  readonly password: string
}

/** What etcd says when it has done nothing for certain. Of the others, its own timeouts among them, that cannot be said. */
const REFUSED =
  /no leader|not capable|too many requests|database space exceeded|permission denied|corrupt|not supported for learner/
const UNAUTHENTICATED = /invalid auth token|user name is empty|auth token is not provided/
const INVALID_ARGUMENT = 3
const LEASE_NOT_FOUND = 'requested lease not found'

export class EtcdApi {
  readonly #endpoints: Endpoints
  readonly #account: Account | undefined
  #token: string | undefined

  constructor(endpoints: Endpoints, account: Account | undefined) {
    this.#endpoints = endpoints
    this.#account = account
  }

  /** A new lease of so many seconds or, where that is below what etcd grants at all, more. Unanswered, it has done no harm. */
  async grant(seconds: number, lock: string, call: Call): Promise<bigint> {
    const id = BigInt.asUintN(63, randomBytes(8).readBigUInt64BE()) | 1n
    await this.#ask('/v3/lease/grant', { TTL: seconds, ID: `${id}` }, lock, call)
    return id
  }

  /** With all keys that are attached to it. True also when there was none any more. */
  async revoke(lease: bigint, lock: string, call: Call): Promise<void> {
    await this.#change('/v3/lease/revoke', { ID: `${lease}` }, lock, call, LEASE_NOT_FOUND)
  }

  async keepAlive(lease: bigint, lock: string, call: Call): Promise<void> {
    await this.#ask('/v3/lease/keepalive', { ID: `${lease}` }, lock, call)
  }

  /** Milliseconds; undefined when it is over. */
  async timeToLive(lease: bigint, lock: string, call: Call): Promise<number | undefined> {
    const { TTL = '0' } = await this.#ask('/v3/lease/timetolive', { ID: `${lease}` }, lock, call)
    const seconds = Number(TTL)
    return seconds < 0 ? undefined : seconds * 1000
  }

  /** One that changes something. */
  async txn(txn: Txn, lock: string, call: Call): Promise<TxnReply> {
    return txnReply(await this.#change('/v3/kv/txn', txn, lock, call))
  }

  /** One of ranges only. */
  async read(success: readonly Json[], lock: string, call: Call): Promise<TxnReply> {
    return txnReply(await this.#ask('/v3/kv/txn', { success }, lock, call))
  }

  async status(lock: string, call: Call): Promise<{ version: string; members: number; where: string }> {
    const { version } = await this.#ask('/v3/maintenance/status', {}, lock, call)
    const { members } = await this.#ask('/v3/cluster/member/list', {}, lock, call)
    return { version: `${version}`, members: (members as unknown[]).length, where: this.#endpoints.current }
  }

  /** True as soon as the key was deleted after that revision, or may have been; false when that was not seen, after `ms` at the latest. */
  untilDeleted(key: string, since: bigint, ms: number, signal: AbortSignal | undefined): Promise<boolean> {
    const create = { key: base64(key), start_revision: `${since + 1n}`, filters: ['NOPUT'] }
    const body = JSON.stringify({ create_request: create })
    const request = { method: 'POST', path: '/v3/watch', headers: this.#headers(), body } as const
    // What tells of no event is the answer that it watches; or that it cannot, and then it ends.
    return this.#endpoints.follow(request, (line) => /"events":|"compact_revision":/.test(line), ms, signal)
  }

  /** For what changes nothing that matters: without an answer, nothing is known. */
  async #ask(path: string, body: object, lock: string, call: Call): Promise<Json> {
    try {
      return await this.#request(path, body, lock, call)
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) throw error
      throw new LockUnavailableError(lock, (error.cause as Error).message, { cause: error.cause })
    }
  }

  /** `fine`: an error that is none. */
  async #change(path: string, body: object, lock: string, call: Call, fine?: string): Promise<Json> {
    try {
      return await this.#request(path, body, lock, call)
    } catch (error) {
      if (fine !== undefined && error instanceof OutcomeUnknownError && error.message.includes(fine)) return {}
      throw error
    }
  }

  async #request(path: string, body: object, lock: string, call: Call): Promise<Json> {
    if (this.#account !== undefined && this.#token === undefined) await this.#authenticate(lock, call)
    const reply = await this.#send(path, body, lock, call)
    if (reply.status === 200) return resultOf(reply.text)
    if (this.#account === undefined || !UNAUTHENTICATED.test(reply.text)) throw this.#failure(reply, lock)
    await this.#authenticate(lock, call)
    const second = await this.#send(path, body, lock, call)
    if (second.status === 200) return resultOf(second.text)
    throw this.#failure(second, lock)
  }

  async #authenticate(lock: string, call: Call): Promise<void> {
    const { username: name, password } = this.#account as Account
    this.#token = undefined
    const reply = await this.#send('/v3/auth/authenticate', { name, password }, lock, call).catch((error) => {
      throw error instanceof OutcomeUnknownError
        ? new LockUnavailableError(lock, error.message, { cause: error })
        : error
    })
    if (reply.status !== 200) throw new LockUnavailableError(lock, `etcd does not let ${name} in: ${errorOf(reply)}`)
    this.#token = String(resultOf(reply.text).token)
  }

  async #send(path: string, body: object, lock: string, { deadlineMs }: Call): Promise<HttpReply> {
    try {
      const text = JSON.stringify(body)
      return await this.#endpoints.ask({ method: 'POST', path, headers: this.#headers(), body: text }, deadlineMs)
    } catch (error) {
      if (error instanceof HttpFailure && !error.sent)
        throw new LockUnavailableError(lock, error.message, { cause: error })
      throw new OutcomeUnknownError(error)
    }
  }

  #headers(): Record<string, string> {
    return this.#token === undefined ? {} : { authorization: this.#token }
  }

  #failure(reply: HttpReply, lock: string): Error {
    const message = errorOf(reply)
    const said = new Error(`etcd at ${this.#endpoints.current} says: ${message}`)
    if (reply.status >= 500) this.#endpoints.next()
    if (REFUSED.test(message) || UNAUTHENTICATED.test(message)) return new LockUnavailableError(lock, said.message)
    if (codeOf(reply) === INVALID_ARGUMENT) return new LockArgumentError(said.message, lock)
    return new OutcomeUnknownError(said)
  }
}

/** The bounds of all that begins so; none for what is this key alone. */
export function rangeOf(from: string, to: string): Json {
  return { key: base64(from), range_end: base64(to) }
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function txnReply(json: Json): TxnReply {
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

/** What streams has its results wrapped, one a line. */
function resultOf(text: string): Json {
  let json: Json
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new OutcomeUnknownError(error)
  }
  return (json.result as Json | undefined) ?? json
}

function errorOf({ status, text }: HttpReply): string {
  const message = jsonOf(text).message ?? jsonOf(text).error
  return typeof message === 'string' ? message : `HTTP status ${status}`
}

function codeOf({ text }: HttpReply): unknown {
  return jsonOf(text).code
}

function jsonOf(text: string): Json {
  try {
    const json = JSON.parse(text)
    return typeof json === 'object' && json !== null ? json : {}
  } catch {
    return {}
  }
}
