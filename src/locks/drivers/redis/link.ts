/** Asking Redis: one connection, opened when it is needed, and what its errors mean for a lock. */
import type { Call } from '../../driver.js'
import { LockArgumentError, LockUnavailableError, OutcomeUnknownError } from '../../errors.js'
import { within } from '../deadline.js'
import { type Connection, connect, type RedisClient } from './connection.js'
import type { Script } from './scripts.js'

/** Longer than that no connection is tried to be opened. */
const OPENING_MS = 10_000
/** As every error begins that Redis itself has told; those of clients are sentences. */
const REPLY = /^-?[A-Z][A-Z0-9_]+ /

/** `asks` changes nothing, so that without an answer nothing was done. */
export type Effect = 'asks' | 'changes'

export interface Request {
  /** For messages. */
  readonly lock: string
  readonly effect: Effect
  readonly call: Call
}

export class Link {
  readonly #client: RedisClient
  readonly #closing = new AbortController()
  #opening: Promise<Connection> | undefined
  #connection: Connection | undefined
  #answeredAt = 0

  constructor(client: RedisClient) {
    this.#client = client
  }

  async run(script: Script, keys: string[], args: string[], request: Request): Promise<unknown> {
    const rest = [`${keys.length}`, ...keys, ...args]
    try {
      return await this.#send('EVALSHA', [script.sha, ...rest], request)
    } catch (error) {
      // A reply, so nothing was done.
      if (!(error instanceof LockUnavailableError && error.why.startsWith('NOSCRIPT '))) throw error
      return await this.#send('EVAL', [script.text, ...rest], request)
    }
  }

  ask(command: string, args: string[], lock: string, call: Call): Promise<unknown> {
    return this.#send(command, args, { lock, effect: 'asks', call })
  }

  /** One for the asker alone, who has to end it. */
  async open(lock: string, { deadlineMs, signal }: Call): Promise<Connection> {
    const opening = this.#open()
    try {
      return await within(opening, deadlineMs, signal)
    } catch (error) {
      opening.then(
        (late) => late.end(),
        () => {},
      )
      throw signal?.aborted ? signal.reason : unavailable(lock, error)
    }
  }

  close(): void {
    this.#closing.abort(new Error('these locks are closed'))
    this.#connection?.end()
  }

  async #send(command: string, args: string[], { lock, effect, call }: Request): Promise<unknown> {
    const connection = await this.#ready(lock, call)
    call.signal?.throwIfAborted()
    const sentAt = performance.now()
    try {
      const answer = await within(
        connection.send(command, args),
        call.deadlineMs,
        effect === 'asks' ? call.signal : undefined,
      )
      this.#answeredAt = performance.now()
      return answer
    } catch (error) {
      if (effect === 'asks' && call.signal?.aborted) throw call.signal.reason
      if (isReply(error)) throw refused(lock, error)
      // Nothing has come at all: half open, maybe, and then it would stay so for minutes.
      if (this.#answeredAt < sentAt) this.#drop(connection)
      if (effect === 'asks') throw unavailable(lock, error)
      throw new OutcomeUnknownError(error)
    }
  }

  async #ready(lock: string, { deadlineMs, signal }: Call): Promise<Connection> {
    if (this.#connection?.isReady()) return this.#connection
    this.#opening ??= this.#reopen()
    try {
      return await within(this.#opening, deadlineMs, signal)
    } catch (error) {
      throw signal?.aborted ? signal.reason : unavailable(lock, error)
    }
  }

  async #reopen(): Promise<Connection> {
    try {
      this.#connection?.end()
      this.#connection = await this.#open()
      if (this.#closing.signal.aborted) this.#connection.end()
      return this.#connection
    } finally {
      this.#opening = undefined
    }
  }

  #open(): Promise<Connection> {
    return connect(this.#client, AbortSignal.any([this.#closing.signal, AbortSignal.timeout(OPENING_MS)]))
  }

  #drop(connection: Connection): void {
    connection.end()
    if (this.#connection === connection) this.#connection = undefined
  }
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && REPLY.test(error.message)
}

function refused(lock: string, error: Error): Error {
  if (/^-?(CROSSSLOT|MOVED|ASK) |non local key/.test(error.message)) {
    return new LockArgumentError(`a Redis cluster cannot keep locks: ${error.message}`, lock)
  }
  return unavailable(lock, error)
}

function unavailable(lock: string, error: unknown): Error {
  return new LockUnavailableError(lock, error instanceof Error ? error.message : `${error}`, { cause: error })
}
