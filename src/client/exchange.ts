/** One request and its reply: written once, settled once, whether by the reply, the deadline, an abort or a lost connection. */
import { isError, isMeta, NO_OPAQUE, type Reply, ReplyError, Status } from '../protocol/index.js'
import { onAbort } from './aborts.js'
import { DeadlineExceededError, RequestRefusedError, ServerError } from './errors.js'
import type { Outbox } from './outbox.js'
import type { Session } from './types.js'

/** Where the opaque's number starts again; far more than can be under way. */
const IDS = 2 ** 24
let lastId = 0

/** Not sent yet. */
const NEVER = -1

/** Reserves `count` opaques in a row and returns the first. */
function takeIds(count: number): number {
  const first = lastId + count >= IDS ? 0 : lastId + 1
  lastId = first + count - 1
  return first
}

export abstract class Exchange<T> {
  /** What it is called for people: `get`, `incr`. */
  readonly operation: string
  readonly promise: Promise<T>
  /** Sent along as opaque with meta commands, so that no reply can be taken for another request's. */
  readonly id: number
  /** On the clock of `performance.now()`. */
  sentAt = NEVER
  deadlineAt = Number.POSITIVE_INFINITY
  deadlineMs = Number.POSITIVE_INFINITY
  /** When true, what the server still says about it is read and dropped. */
  settled = false
  /** The value that goes along must be swallowed by the server, also when it refuses. */
  protected readonly hasBody: boolean = false
  /** False for a caller who only wants it written. */
  awaitsReply = true
  /** Called when the request has been written. */
  onSent: (() => void) | undefined
  /** The only connection that it may be written to; undefined: any. */
  session: Session | undefined
  /** Written as a meta command: its reply is one of those, and carries its number. */
  #isMeta = false
  #resolve!: (value: T) => void
  #reject!: (error: unknown) => void
  #forgetSignal: (() => void) | undefined

  constructor(operation: string, ids = 1) {
    this.operation = operation
    this.id = takeIds(ids)
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Writes the request; throws UnsupportedError, before anything is written, where the server lacks what it takes. */
  abstract write(out: Outbox, session: Session): void

  /** Takes one reply that is no error; true when the exchange is complete. Throws ReplyError when it is another's. */
  protected abstract takeReply(reply: Reply): boolean

  /** The opaque and the end of a meta command's line. */
  protected endMeta(out: Outbox, id = this.id): void {
    this.#isMeta = true
    out.text(' O')
    out.number(id)
    out.endLine()
  }

  /** Takes one reply; true when the exchange is complete. Throws ReplyError when the connection is out of step. */
  take(reply: Reply): boolean {
    if (isError(reply.status)) {
      this.fail(errorOf(reply))
      // Servers differ in whether they swallow the value of a line that they do not understand.
      if (this.hasBody && reply.status !== Status.ServerError) throw new ReplyError(`refused: ${reply.text()}`)
      return true
    }
    if (isMeta(reply.status) !== this.#isMeta) throw this.unexpected(reply)
    if (this.#isMeta) this.#check(reply)
    return this.takeReply(reply)
  }

  /** The reply's opaque is this request's. A miss of an early 1.6 carries none. */
  #check(reply: Reply): void {
    if (reply.opaque === this.id) return
    if (reply.opaque === NO_OPAQUE && reply.status === Status.Miss) return
    throw new ReplyError(`a reply with opaque ${reply.opaque} to request ${this.id}`)
  }

  protected unexpected(reply: Reply): ReplyError {
    return new ReplyError(`a reply that ${this.operation} does not have: ${reply.text()}`)
  }

  /** For a caller who does not wait for the reply: settles when the request is written, or fails before that. */
  written<R>(value: R): Promise<R> {
    return new Promise((resolve, reject) => {
      this.onSent = () => resolve(value)
      this.promise.catch(reject)
    })
  }

  deliver(value: T): void {
    if (this.settled) return
    this.#settle()
    this.#resolve(value)
  }

  fail(error: unknown): void {
    if (this.settled) return
    this.#settle()
    this.#reject(error)
  }

  /** `read` makes the value out of a reply; when a codec cannot read it, only this exchange fails. */
  protected deliverFrom(read: () => T): void {
    if (this.settled) return
    try {
      this.deliver(read())
    } catch (error) {
      if (error instanceof ReplyError) throw error
      this.fail(error)
    }
  }

  /** Fails it if its time is over. */
  expire(now: number, server: string, cause?: Error): void {
    if (this.settled || now < this.deadlineAt) return
    this.fail(new DeadlineExceededError(server, this.deadlineMs, this.sentAt !== NEVER, { cause }))
  }

  /** An abort, which has not happened yet, ends the waiting. What was sent stays sent. */
  endOn(signal: AbortSignal): void {
    this.#forgetSignal = onAbort(signal, () => this.fail(signal.reason))
  }

  #settle(): void {
    this.settled = true
    this.#forgetSignal?.()
  }
}

/** The words for a bare ERROR. */
export const UNKNOWN_COMMAND = 'the server does not know the command'

/** An error reply as what the caller gets. */
export function errorOf(reply: Reply): Error {
  const words = reply.text()
  if (reply.status === Status.ServerError) return new ServerError(words)
  return new RequestRefusedError(words === '' ? UNKNOWN_COMMAND : words)
}
