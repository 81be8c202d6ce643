/** What is asked of a server rather than of a key. */
import { isError, type Reply, Status } from '../../protocol/index.js'
import { Exchange } from '../exchange.js'
import type { Outbox } from '../outbox.js'
import type { Session } from '../types.js'

export class Version extends Exchange<string> {
  constructor() {
    super('version')
  }

  write(out: Outbox): void {
    out.text('version\r\n')
  }

  protected takeReply(reply: Reply): boolean {
    if (reply.status !== Status.Version) throw this.unexpected(reply)
    this.deliver(reply.text())
    return true
  }
}

/** Which connection a request goes out on now, and what the server behind it can do. Sends nothing. */
export class OpenSession extends Exchange<Session> {
  constructor() {
    super('session')
  }

  write(_out: Outbox, session: Session): void {
    this.deliver(session)
  }

  protected takeReply(reply: Reply): boolean {
    throw this.unexpected(reply)
  }
}

/** Whether the server knows meta commands: it answers their no-op, or an error. */
export class MetaProbe extends Exchange<boolean> {
  constructor() {
    super('mn')
  }

  write(out: Outbox): void {
    out.text('mn\r\n')
  }

  override take(reply: Reply): boolean {
    if (reply.status !== Status.Noop && !isError(reply.status)) throw this.unexpected(reply)
    this.deliver(reply.status === Status.Noop)
    return true
  }

  protected takeReply(reply: Reply): boolean {
    throw this.unexpected(reply)
  }
}

/**
 * memcached's ASCII authentication: a set whose value is name and password. The rest of the line is not looked at, but a
 * server that asks for no authentication would store it: it has expired already, and nobody can read it there.
 */
export class Authenticate extends Exchange<void> {
  readonly #credentials: string

  constructor(username: string, password: string) {
    super('authenticate')
    this.#credentials = `${username} ${password}`
  }

  write(out: Outbox): void {
    const length = Buffer.byteLength(this.#credentials)
    out.text(`set auth 0 -1 ${length}\r\n`)
    out.value(this.#credentials, length)
    out.endLine()
  }

  protected takeReply(reply: Reply): boolean {
    if (reply.status !== Status.Stored) throw this.unexpected(reply)
    this.deliver(undefined)
    return true
  }
}

export class Flush extends Exchange<void> {
  readonly #delay: number

  /** Seconds. */
  constructor(delay: number) {
    super('flush')
    this.#delay = delay
  }

  write(out: Outbox): void {
    out.text(this.#delay === 0 ? 'flush_all\r\n' : `flush_all ${this.#delay}\r\n`)
  }

  protected takeReply(reply: Reply): boolean {
    if (reply.status !== Status.Ok) throw this.unexpected(reply)
    this.deliver(undefined)
    return true
  }
}

export class Stats extends Exchange<Record<string, string>> {
  readonly #group: string
  readonly #found: Record<string, string> = {}

  /** `group` is empty for the general figures. */
  constructor(group: string) {
    super('stats')
    this.#group = group
  }

  write(out: Outbox): void {
    out.text(this.#group === '' ? 'stats\r\n' : `stats ${this.#group}\r\n`)
  }

  protected takeReply(reply: Reply): boolean {
    switch (reply.status) {
      case Status.Stat: {
        const line = reply.text()
        const space = line.indexOf(' ')
        if (space < 0) this.#found[line] = ''
        else this.#found[line.slice(0, space)] = line.slice(space + 1)
        return false
      }
      case Status.End:
      case Status.Reset:
      case Status.Ok:
        this.deliver(this.#found)
        return true
      default:
        throw this.unexpected(reply)
    }
  }
}
