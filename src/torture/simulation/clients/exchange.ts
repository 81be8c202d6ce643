/** One request of our client and its reply: settled once, whether by the reply, the deadline, an abort or a lost connection. */
import { DeadlineExceededError, RequestRefusedError, ServerError, type Session } from '../../../client/index.js'
import type { Answer, Request } from '../servers/request.js'

const NEVER = -1

export class Exchange {
  /** undefined: it only wants to know where it would go. */
  readonly request: Request | undefined
  readonly session: Session | undefined
  readonly deadlineAt: number
  readonly promise: Promise<Answer | Session>
  sentAt = NEVER
  /** What the server still says about it is dropped. */
  settled = false
  readonly #deadlineMs: number
  #resolve!: (result: Answer | Session) => void
  #reject!: (error: unknown) => void
  #forgetSignal = () => {}

  constructor(request: Request | undefined, session: Session | undefined, now: number, deadlineMs: number) {
    this.request = request
    this.session = session
    this.#deadlineMs = deadlineMs
    this.deadlineAt = now + deadlineMs
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  deliver(result: Answer | Session): void {
    if (this.settled) return
    this.#settle()
    const error = 'status' in result ? errorOf(result) : undefined
    if (error === undefined) this.#resolve(result)
    else this.#reject(error)
  }

  fail(error: unknown): void {
    if (this.settled) return
    this.#settle()
    this.#reject(error)
  }

  expire(now: number, server: string, cause: Error | undefined): void {
    if (this.settled || now < this.deadlineAt) return
    this.fail(new DeadlineExceededError(server, this.#deadlineMs, this.sentAt !== NEVER, { cause }))
  }

  endOn(signal: AbortSignal): void {
    const abort = () => this.fail(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    this.#forgetSignal = () => signal.removeEventListener('abort', abort)
  }

  #settle(): void {
    this.settled = true
    this.#forgetSignal()
  }
}

function errorOf({ status, flags }: Answer): Error | undefined {
  if (status === 'SERVER_ERROR') return new ServerError(flags[0])
  return status === 'CLIENT_ERROR' ? new RequestRefusedError(flags[0]) : undefined
}
