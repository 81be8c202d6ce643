/** Every error of the client: a class to catch and a `code` that stays, with what is known of the outcome. */

/** The common base. `code` is stable across versions, `message` is for people. */
export class CacheError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.name = new.target.name
  }
}

/** Thrown before anything is sent: a key, value, time, option or combination of them that no server would take. */
export class InvalidArgumentError extends CacheError {
  constructor(message: string) {
    super('INVALID_ARGUMENT', message)
  }
}

/** Thrown before anything is sent: the server in question, or the protocol it speaks, cannot do this. */
export class UnsupportedError extends CacheError {
  constructor(message: string) {
    super('UNSUPPORTED', message)
  }
}

/** Thrown when a value cannot be encoded, or when what is stored was not written by such a codec. */
export class CodecError extends CacheError {
  constructor(message: string, options?: ErrorOptions) {
    super('CODEC', message, options)
  }
}

/** Thrown by every call on a closed client, and by calls that were still waiting when it closed. */
export class ClientClosedError extends CacheError {
  constructor() {
    super('CLIENT_CLOSED', 'the client is closed')
  }
}

/** Thrown when too many requests already wait for this server (`maxPending`). Nothing was sent. */
export class OverloadedError extends CacheError {
  constructor(server: string, pending: number) {
    super('OVERLOADED', `${pending} requests already wait for ${server}`)
  }
}

/** Thrown when there is no connection to the key's server. Nothing was sent, so nothing has changed there. */
export class ServerUnavailableError extends CacheError {
  readonly server: string

  constructor(server: string, options?: ErrorOptions) {
    super('SERVER_UNAVAILABLE', `no connection to ${server}${because(options)}`, options)
    this.server = server
  }
}

/**
 * Thrown when the connection that a call was tied to (`session`) is gone or not yet there. Nothing was sent, on that connection
 * or on another.
 */
export class SessionEndedError extends CacheError {
  readonly server: string

  constructor(server: string) {
    super('SESSION_ENDED', `the connection to ${server} that this call was meant for has ended`)
    this.server = server
  }
}

/** Thrown when the server refuses the user name and password. Nothing was sent. */
export class AuthenticationError extends CacheError {
  readonly server: string

  constructor(server: string, said: string) {
    super('AUTHENTICATION', `${server} refuses the credentials: ${said}`)
    this.server = server
  }
}

/**
 * Thrown when `deadlineMs` has passed. `sent` tells what is known: false, nothing was sent and nothing has changed;
 * true, the server may or may not have done it.
 */
export class DeadlineExceededError extends CacheError {
  readonly server: string
  readonly sent: boolean

  constructor(server: string, deadlineMs: number, sent: boolean, options?: { cause: Error | undefined }) {
    const what = sent ? 'no reply' : 'not sent'
    super('DEADLINE_EXCEEDED', `${server}: ${what} within ${Math.round(deadlineMs)} ms${because(options)}`, options)
    this.server = server
    this.sent = sent
  }
}

/**
 * Thrown when the connection ended between request and reply: the server may or may not have done it. `byServer`: it was the
 * server that ended it, in order, so that everything it ever said was heard.
 */
export class ConnectionLostError extends CacheError {
  readonly server: string
  readonly byServer: boolean

  constructor(server: string, options: ErrorOptions & { byServer?: boolean } = {}) {
    super('CONNECTION_LOST', `connection to ${server} lost before the reply${because(options)}`, options)
    this.server = server
    this.byServer = options.byServer ?? false
  }
}

/** Thrown when a reply is not one to this request; the connection is closed, the outcome unknown. */
export class ProtocolError extends CacheError {
  constructor(message: string) {
    super('PROTOCOL', message)
  }
}

/** Thrown when the server answers SERVER_ERROR: out of memory, too large, lock grace. Its words are in `message`. */
export class ServerError extends CacheError {
  constructor(message: string) {
    super('SERVER_ERROR', message)
  }
}

/** Thrown when the server answers CLIENT_ERROR or ERROR: it has refused the request. Its words are in `message`. */
export class RequestRefusedError extends CacheError {
  constructor(message: string) {
    super('REQUEST_REFUSED', message)
  }
}

/** Thrown by `keys` when a server has more of them than `limit`. */
export class TooManyKeysError extends CacheError {
  constructor(limit: number) {
    super('TOO_MANY_KEYS', `there are more than ${limit} such keys on one server`)
  }
}

/** Thrown by `update` when others were faster until its deadline. Nothing of this call was stored. */
export class UpdateConflictError extends CacheError {
  readonly attempts: number

  constructor(key: string, attempts: number, options?: ErrorOptions) {
    super('UPDATE_CONFLICT', `update of ${key}: others were faster ${attempts} times until the deadline`, options)
    this.attempts = attempts
  }
}

/** The cause in words. A host with several addresses fails with one error for each. */
function because(options: ErrorOptions | undefined): string {
  const cause = options?.cause
  if (cause instanceof AggregateError) return `: ${cause.errors.map((error) => error.message).join(', ')}`
  return cause instanceof Error ? `: ${cause.message}` : ''
}
