/** The requests of Consul that locks are made of: sessions, and transactions on keys, in which any key may be named. */
import type { Call } from '../../driver.js'
import { LockArgumentError, LockUnavailableError, OutcomeUnknownError } from '../../errors.js'
import type { Endpoints } from '../http/endpoints.js'
import { HttpFailure, type HttpReply, type HttpRequest } from '../http/exchange.js'

export interface Entry {
  readonly key: string
  readonly value: Buffer
  /** The session that holds it; empty for none. */
  readonly session: string
  readonly createIndex: bigint
  readonly modifyIndex: bigint
}

/** One of a transaction, as Consul has it. https://developer.hashicorp.com/consul/api-docs/txn#tables-of-operations */
export interface Operation {
  readonly Verb: 'get' | 'get-tree' | 'set' | 'lock' | 'unlock' | 'check-index' | 'check-not-exists' | 'delete-cas'
  readonly Key: string
  readonly Value?: string
  readonly Session?: string
  readonly Index?: number
}

const REFUSED = /No cluster leader|Permission denied|ACL (not found|disabled|support)|rate limit/i
const INVALID = /Invalid Session TTL/
/** Consul refuses less unless `session_ttl_min` allows it. */
const LEAST_MS = 10_000

export class ConsulApi {
  readonly #endpoints: Endpoints
  readonly #headers: Record<string, string>
  readonly #lockDelayMs: number
  #leastMs = 0

  constructor(endpoints: Endpoints, token: string | undefined, lockDelayMs: number) {
    this.#endpoints = endpoints
    this.#headers = token === undefined ? {} : { 'x-consul-token': token }
    this.#lockDelayMs = lockDelayMs
  }

  /**
   * A new session, which lasts at least so long and at most twice. It hangs on no health check, which could end it before.
   * Unanswered, it has done no harm.
   */
  async begin(ttlMs: number, lock: string, call: Call): Promise<string> {
    const lasting = (ms: number) => ({
      Name: 'latchkey',
      TTL: `${ms}ms`,
      LockDelay: `${this.#lockDelayMs}ms`,
      Behavior: 'delete',
      Checks: [],
      NodeChecks: [],
      ServiceChecks: [],
    })
    const begun = (ms: number) => this.#asked('PUT', '/v1/session/create', lasting(ms), lock, call)
    let reply = await begun(Math.max(ttlMs, this.#leastMs))
    if (INVALID.test(reply.text) && ttlMs < LEAST_MS) {
      this.#leastMs = LEAST_MS
      reply = await begun(LEAST_MS)
    }
    if (reply.status === 200) return String(JSON.parse(reply.text).ID)
    if (INVALID.test(reply.text))
      throw new LockArgumentError(`Consul refuses a lease of ${ttlMs} ms: ${reply.text}`, lock)
    throw asUnavailable(this.#failure(reply, lock), lock)
  }

  async end(session: string, lock: string, call: Call): Promise<void> {
    await this.#send({ method: 'PUT', path: `/v1/session/destroy/${session}`, headers: this.#headers }, lock, call)
  }

  /** Each done, or none: undefined when one of them does not hold. */
  async change(operations: readonly Operation[], lock: string, call: Call): Promise<readonly Entry[] | undefined> {
    const body = operations.map((KV) => ({ KV }))
    return this.#entries(await this.#put('/v1/txn', body, lock, call), lock)
  }

  /** As the leader has it, once a majority has confirmed that it leads. */
  async read(operation: Operation, lock: string, call: Call): Promise<readonly Entry[]> {
    const reply = await this.#asked('PUT', '/v1/txn?consistent', [{ KV: operation }], lock, call)
    try {
      return this.#entries(reply, lock) ?? []
    } catch (error) {
      throw asUnavailable(error, lock)
    }
  }

  async version(lock: string, call: Call): Promise<{ version: string; where: string }> {
    const reply = await this.#asked('GET', '/v1/agent/self', undefined, lock, call)
    const { Config } = reply.status === 200 ? JSON.parse(reply.text) : { Config: undefined }
    return { version: Config?.Version ?? 'of unknown version', where: this.#endpoints.current }
  }

  #entries(reply: HttpReply, lock: string): readonly Entry[] | undefined {
    // One whose session has ended before it began.
    if (reply.status === 409 && /invalid session/.test(reply.text)) throw new LockUnavailableError(lock, reply.text)
    if (reply.status === 409) return undefined
    if (reply.status !== 200) throw this.#failure(reply, lock)
    const { Results } = JSON.parse(reply.text) as { Results: { KV: Record<string, unknown> }[] | null }
    return (Results ?? []).map(({ KV }) => entryOf(KV))
  }

  #put(path: string, body: unknown, lock: string, call: Call): Promise<HttpReply> {
    return this.#send({ method: 'PUT', path, headers: this.#headers, body: JSON.stringify(body) }, lock, call)
  }

  /** For what changes nothing that matters: without an answer, nothing is known. */
  async #asked(method: 'GET' | 'PUT', path: string, body: unknown, lock: string, call: Call): Promise<HttpReply> {
    const text = body === undefined ? {} : { body: JSON.stringify(body) }
    try {
      return await this.#send({ method, path, headers: this.#headers, ...text }, lock, call)
    } catch (error) {
      throw asUnavailable(error, lock)
    }
  }

  async #send(request: HttpRequest, lock: string, { deadlineMs }: Call): Promise<HttpReply> {
    try {
      return await this.#endpoints.ask(request, deadlineMs)
    } catch (error) {
      if (error instanceof HttpFailure && error.sent) throw new OutcomeUnknownError(error)
      throw new LockUnavailableError(lock, (error as Error).message, { cause: error })
    }
  }

  #failure({ status, text }: HttpReply, lock: string): Error {
    const message = `Consul at ${this.#endpoints.current} says: ${text.slice(0, 200) || `HTTP status ${status}`}`
    if (status >= 500) this.#endpoints.next()
    if (status === 403 || status === 429 || REFUSED.test(text)) return new LockUnavailableError(lock, message)
    return status < 500 ? new LockArgumentError(message, lock) : new OutcomeUnknownError(new Error(message))
  }
}

function entryOf(json: Record<string, unknown>): Entry {
  return {
    key: String(json.Key),
    value: Buffer.from(String(json.Value ?? ''), 'base64'),
    session: String(json.Session ?? ''),
    createIndex: BigInt(json.CreateIndex as number),
    modifyIndex: BigInt(json.ModifyIndex as number),
  }
}

function asUnavailable(error: unknown, lock: string): unknown {
  if (!(error instanceof OutcomeUnknownError)) return error
  return new LockUnavailableError(lock, (error.cause as Error).message, { cause: error })
}
