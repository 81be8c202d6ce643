/** The JSON gateway of etcd: the account, and what its errors mean for a lock. https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/ */
import type { Call } from '../../driver.js'
import { LockArgumentError, LockUnavailableError, OutcomeUnknownError } from '../../errors.js'
import type { Endpoints } from '../http/endpoints.js'
import { HttpFailure, type HttpReply } from '../http/exchange.js'
import type { Json } from './messages.js'

export interface Account {
  readonly username: string
  readonly password: string
}

/** What etcd says when it has done nothing for certain. Of the others, its own timeouts among them, that cannot be said. */
const REFUSED =
  /no leader|not capable|too many requests|database space exceeded|permission denied|corrupt|not supported for learner/
const UNAUTHENTICATED = /invalid auth token|user name is empty|auth token is not provided/
const INVALID_ARGUMENT = 3

export class Gateway {
  readonly #endpoints: Endpoints
  readonly #account: Account | undefined
  #token: string | undefined

  constructor(endpoints: Endpoints, account: Account | undefined) {
    this.#endpoints = endpoints
    this.#account = account
  }

  /** The one that is asked now. */
  get where(): string {
    return this.#endpoints.current
  }

  /** For what changes nothing that matters: without an answer, nothing is known. */
  async ask(path: string, body: object, lock: string, call: Call): Promise<Json> {
    try {
      return await this.#request(path, body, lock, call)
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) throw error
      throw new LockUnavailableError(lock, (error.cause as Error).message, { cause: error.cause })
    }
  }

  /** `fine`: an error that is none. */
  async change(path: string, body: object, lock: string, call: Call, fine?: string): Promise<Json> {
    try {
      return await this.#request(path, body, lock, call)
    } catch (error) {
      if (fine !== undefined && error instanceof OutcomeUnknownError && error.message.includes(fine)) return {}
      throw error
    }
  }

  /** True as soon as a line of the answer is one, or it has ended; false after `ms` at the latest. */
  follow(path: string, body: object, isOne: (line: string) => boolean, ms: number, signal: AbortSignal | undefined) {
    const request = { method: 'POST', path, headers: this.#headers(), body: JSON.stringify(body) } as const
    return this.#endpoints.follow(request, isOne, ms, signal)
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
