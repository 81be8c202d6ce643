/**
 * One socket from its opening to its end. Requests go out in the order they come, those of one tick in one write;
 * replies come back in that order. Whatever does not fit ends the connection: it is never used again out of step.
 */
import { connect as connectPlain, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { connect as connectTls } from 'node:tls'
import { type Reply, ReplyError, ReplyParser } from '../protocol/index.js'
import type { Address } from './address.js'
import { Authenticate, MetaProbe, Version } from './commands/admin.js'
import {
  AuthenticationError,
  ConnectionLostError,
  ProtocolError,
  RequestRefusedError,
  SessionEndedError,
} from './errors.js'
import { type Exchange, UNKNOWN_COMMAND } from './exchange.js'
import { featuresOf } from './features.js'
import { Outbox } from './outbox.js'
import { Queue } from './queue.js'
import type { LinkSettings } from './settings.js'
import type { Session } from './types.js'

const RECEIVE_BYTES = 256 * 1024
const KEEP_ALIVE_MS = 30_000
/** In a tick of much work the server need not wait for the last request of it to begin with the first. */
const LINGER_MS = 0.1
/** So many times `stallMs` after its deadline, a reply that still has not come is not waited for. */
const HOPELESS = 5

let lastId = 0

// biome-ignore lint/suspicious/noExplicitAny: an exchange's result type is a matter between it and its caller
export type AnyExchange = Exchange<any>

export interface ConnectionEvents {
  /** The handshake is done: requests may be sent. */
  ready(): void
  /** The end, with its reason. Called once, before anything else can be sent. */
  closed(reason: Error): void
}

export class Connection {
  session: Session
  readonly #server: string
  readonly #settings: LinkSettings
  readonly #events: ConnectionEvents
  readonly #socket: Socket
  readonly #parser = new ReplyParser()
  readonly #outbox = new Outbox()
  /** Sent, in the order in which they will be answered; settled ones too, until their reply has come. */
  readonly pending = new Queue<AnyExchange>()
  #flushing = false
  /** Whoever uses this sends one request, waits for the reply, and sends the next one. */
  #oneByOne = false
  /** When the oldest request that is not written yet was made. */
  #oldestAt = 0
  #reason: Error | undefined
  /** When the last bytes came, on the clock of `performance.now()`. */
  #heardAt = 0

  constructor(address: Address, settings: LinkSettings, events: ConnectionEvents) {
    this.#server = address.name
    this.session = { server: address.name, id: ++lastId, ...featuresOf('', false) }
    this.#settings = settings
    this.#events = events
    this.#socket = settings.tls === undefined ? this.#openPlain(address) : this.#openTls(address)
    this.#socket.setNoDelay(true)
    this.#socket.setKeepAlive(true, KEEP_ALIVE_MS)
    this.#socket.once(settings.tls === undefined ? 'connect' : 'secureConnect', () => this.#handshake())
    this.#socket.on('error', (error) => this.#end(error))
    this.#socket.once('end', () => this.#end(new Error('the server has closed the connection'), true))
    this.#socket.once('close', () => this.#end(new Error('the connection has ended')))
  }

  /** Writes the request at the end of this tick or, where they come one by one, at once. One that was meant for another connection fails instead. */
  send(exchange: AnyExchange): void {
    const { session } = exchange
    if (session !== undefined && session.id !== this.session.id) {
      exchange.fail(new SessionEndedError(session.server))
      return
    }
    try {
      exchange.write(this.#outbox, this.session)
    } catch (error) {
      exchange.fail(error)
      return
    }
    // It only wanted to know where it would go.
    if (exchange.settled) return
    exchange.sentAt = performance.now()
    exchange.onSent?.()
    this.pending.push(exchange)
    if (this.#oneByOne && this.pending.length === 1) this.#writeOut()
    else if (!this.#flushing) {
      this.#flushing = true
      this.#oldestAt = exchange.sentAt
      process.nextTick(this.#flush)
    } else if (exchange.sentAt - this.#oldestAt > LINGER_MS) {
      this.#writeOut()
      this.#oldestAt = exchange.sentAt
    }
  }

  /** Fails what is late. Returns when to look again, on the clock of `performance.now()`. */
  expire(now: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const exchange of this.pending) {
      exchange.expire(now, this.#server)
      if (!exchange.settled) next = Math.min(next, exchange.deadlineAt)
    }
    return Math.min(next, this.#endIfStalled(now))
  }

  /** Sends what there is to send and then our end (FIN). The server may still answer, until it ends the connection too. */
  hangUp(): void {
    this.#flush()
    this.#socket.end()
  }

  /** Ends the connection; what is under way fails with the reason. */
  destroy(reason: Error): void {
    this.#end(reason)
  }

  /**
   * A server that owes the reply to a request whose time is over is taken for gone when it has said nothing for
   * `stallMs`, or when, though it speaks, it is hopelessly late: behind it all others would wait in vain.
   */
  #endIfStalled(now: number): number {
    const head = this.pending.peek()
    if (head === undefined || !head.settled) return Number.POSITIVE_INFINITY
    const { stallMs } = this.#settings
    const silentAt = Math.max(head.sentAt, this.#heardAt) + stallMs
    const hopelessAt = Math.max(head.sentAt, head.deadlineAt) + HOPELESS * stallMs
    if (now < Math.min(silentAt, hopelessAt)) return Math.min(silentAt, hopelessAt)
    this.#end(new Error(now < silentAt ? 'replies come far too late' : `no reply for ${stallMs} ms`))
    return Number.POSITIVE_INFINITY
  }

  #openPlain(address: Address): Socket {
    const onread = { buffer: Buffer.allocUnsafeSlow(RECEIVE_BYTES), callback: this.#onRead }
    if ('path' in address) return connectPlain({ path: address.path, onread })
    return connectPlain({ host: address.host, port: address.port, onread })
  }

  #openTls(address: Address): Socket {
    const where = 'path' in address ? { path: address.path } : { host: address.host, port: address.port }
    const socket = connectTls({ ...where, ...this.#settings.tls })
    socket.on('data', (chunk) => this.#receive(chunk))
    return socket
  }

  #onRead = (bytes: number, buffer: Uint8Array): boolean => {
    this.#receive(Buffer.from(buffer.buffer, buffer.byteOffset, bytes))
    return true
  }

  #receive(chunk: Buffer): void {
    if (this.#reason !== undefined) return
    this.#heardAt = performance.now()
    try {
      this.#parser.feed(chunk, this.#take)
    } catch (error) {
      const reason = error instanceof ReplyError ? new ProtocolError(`${this.#server}: ${error.message}`) : error
      this.#end(reason as Error)
    }
  }

  #take = (reply: Reply): void => {
    const head = this.pending.peek()
    if (head === undefined) throw new ReplyError(`a reply that nobody asked for: ${reply.text()}`)
    if (head.take(reply)) this.pending.shift()
  }

  #flush = (): void => {
    this.#flushing = false
    this.#oneByOne = this.pending.length === 1
    this.#writeOut()
  }

  #writeOut(): void {
    if (this.#reason !== undefined) return
    try {
      const pieces = this.#outbox.take()
      if (pieces.length > 1) this.#socket.cork()
      for (const piece of pieces) this.#socket.write(piece)
      if (pieces.length > 1) this.#socket.uncork()
    } catch (error) {
      this.#end(error as Error)
      return
    }
    // TLS may keep plain text for its next record; a plain socket with nothing left has given all to the kernel.
    if (this.#settings.tls === undefined && this.#socket.writableLength === 0) this.#outbox.reuse()
  }

  async #handshake(): Promise<void> {
    const { credentials, classic } = this.#settings
    try {
      if (credentials !== undefined) {
        await this.#ask(new Authenticate(credentials.username, credentials.password))
      }
      const version = this.#ask(new Version()).catch(unknownMeans(''))
      const meta = classic ? false : this.#ask(new MetaProbe())
      this.session = { ...this.session, ...featuresOf(...(await Promise.all([version, meta]))) }
    } catch (error) {
      this.#end(error as Error)
      return
    }
    if (this.#reason === undefined) this.#events.ready()
  }

  #ask<T>(exchange: Exchange<T>): Promise<T> {
    this.send(exchange)
    return exchange.promise.catch((error: unknown) => {
      if (error instanceof RequestRefusedError && /auth/.test(error.message)) {
        throw new AuthenticationError(this.#server, error.message)
      }
      throw error
    })
  }

  #end(reason: Error, byServer = false): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#socket.destroy()
    this.#failPending(reason, byServer)
    this.#events.closed(reason)
  }

  /** The head may be told what was wrong with its reply; of the others it is only known that none will come. */
  #failPending(reason: Error, byServer: boolean): void {
    const head = this.pending.peek()
    if (reason instanceof ProtocolError) head?.fail(reason)
    for (const exchange of this.pending.drain()) {
      exchange.fail(new ConnectionLostError(this.#server, { cause: reason, byServer }))
    }
  }
}

/** What stands for the answer where the question is not known. */
function unknownMeans<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof RequestRefusedError && error.message === UNKNOWN_COMMAND) return value
    throw error
  }
}
