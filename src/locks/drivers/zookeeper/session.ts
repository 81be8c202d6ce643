/**
 * A session of ZooKeeper on the one connection it was begun on: it is never resumed on another. What it has created as ephemeral goes
 * when it is closed, or when the cluster has heard nothing of it for its timeout; that the connection ends does not end it.
 * https://zookeeper.apache.org/doc/r3.8.0/zookeeperProgrammers.html#ch_zkSessions
 */
import { ConnectionEnded, ZooKeeperError } from './errors.js'
import { type Address, FrameSocket } from './socket.js'
import { Reader, Writer } from './wire.js'

const PING = -2
const AUTH = -4
const WATCH_EVENT = -1
const OP_PING = 11
const OP_AUTH = 100
const OP_CLOSE = -11
const DELETED = 2

interface Waiting {
  resolve(reader: Reader): void
  reject(error: Error): void
}

export interface SessionOptions {
  readonly timeoutMs: number
  /** The latest transaction that was seen: a server that does not know of it does not let us in. */
  readonly lastZxid: bigint
  /** `user:password`, for the scheme `digest`. */
  readonly digest: string | undefined
}

export class Session {
  readonly where: string
  readonly #socket: FrameSocket
  readonly #asked = new Map<number, Waiting>()
  readonly #watches = new Map<string, Set<() => void>>()
  #handshake: Waiting | undefined
  #pings: NodeJS.Timeout | undefined
  #xid = 0
  #ended: Error | undefined
  #timeoutMs = 0
  #lastZxid: bigint

  private constructor(address: Address, lastZxid: bigint) {
    this.where = `${address.host}:${address.port}`
    this.#lastZxid = lastZxid
    const heard = { frame: (frame: Buffer) => this.#heard(frame), end: (why: Error) => this.#end(why) }
    this.#socket = new FrameSocket(address, heard)
  }

  /** Rejects with ConnectionEnded and ZooKeeperError. One that is left unanswered ends by itself, and has nothing. */
  static async open(address: Address, options: SessionOptions, deadlineMs: number): Promise<Session> {
    const session = new Session(address, options.lastZxid)
    const until = performance.now() + deadlineMs
    await session.#open(options, deadlineMs)
    const { digest } = options
    const left = Math.max(1, until - performance.now())
    if (digest !== undefined) await session.#ask(AUTH, authOf(digest), left)
    return session
  }

  /** What ZooKeeper has granted. */
  get timeoutMs(): number {
    return this.#timeoutMs
  }

  get lastZxid(): bigint {
    return this.#lastZxid
  }

  get isOpen(): boolean {
    return this.#ended === undefined
  }

  /** From here on it lives as long as this process. */
  keepAlive(): void {
    this.#pings = setInterval(() => {
      if (this.#asked.has(PING)) return
      this.#ask(PING, new Writer().int(PING).int(OP_PING), this.#timeoutMs).catch(() => {})
    }, this.#timeoutMs / 3).unref()
  }

  /** Rejects with ZooKeeperError and ConnectionEnded. */
  request(type: number, body: Writer, deadlineMs: number): Promise<Reader> {
    const xid = ++this.#xid
    return this.#ask(xid, new Writer().int(xid).int(type).all(body), deadlineMs)
  }

  /** Calls `gone` once the node is deleted or the connection has ended; returns how to call it off. Before the node is asked for. */
  watch(path: string, gone: () => void): () => void {
    const all = this.#watches.get(path) ?? new Set()
    this.#watches.set(path, all.add(gone))
    return () => all.delete(gone)
  }

  /** Ends the session and what it has created. Rejects with ConnectionEnded when that is not known to be done. */
  async close(deadlineMs: number): Promise<void> {
    await this.request(OP_CLOSE, new Writer(), deadlineMs).finally(() => this.drop())
  }

  /** Hangs up; the session goes on until its timeout. */
  drop(): void {
    this.#socket.end(new Error('hung up'))
  }

  async #open({ timeoutMs, lastZxid }: SessionOptions, deadlineMs: number): Promise<void> {
    const hello = new Writer().int(0).long(lastZxid).int(timeoutMs).long(0n).bytes(Buffer.alloc(16)).bool(false)
    const late = setTimeout(() => this.#socket.end(new Error(`no session in ${deadlineMs} ms`)), deadlineMs)
    try {
      const reader = await new Promise<Reader>((resolve, reject) => {
        this.#handshake = { resolve, reject }
        this.#socket.send(hello.take())
      })
      reader.int()
      this.#timeoutMs = reader.int()
    } finally {
      clearTimeout(late)
    }
  }

  #ask(xid: number, frame: Writer, deadlineMs: number): Promise<Reader> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(new ConnectionEnded(this.#ended.message, false))
      // Answers come in order: behind one that does not come, none does.
      const late = setTimeout(() => this.#socket.end(new Error(`no answer in ${deadlineMs} ms`)), deadlineMs)
      const done = () => {
        clearTimeout(late)
        this.#asked.delete(xid)
        if (this.#asked.size === 0) this.#socket.keepGoing(false)
      }
      this.#asked.set(xid, {
        resolve(reader) {
          done()
          resolve(reader)
        },
        reject(error) {
          done()
          reject(error)
        },
      })
      if (xid !== PING) this.#socket.keepGoing(true)
      else late.unref()
      this.#socket.send(frame.take())
    })
  }

  #heard(frame: Buffer): void {
    const reader = new Reader(frame)
    if (this.#handshake !== undefined) {
      this.#handshake.resolve(reader)
      this.#handshake = undefined
      return
    }
    const xid = reader.int()
    const zxid = reader.long()
    const code = reader.int()
    if (xid === WATCH_EVENT) this.#told(reader)
    if (zxid > this.#lastZxid) this.#lastZxid = zxid
    const waiting = this.#asked.get(xid)
    if (code === 0) waiting?.resolve(reader)
    else waiting?.reject(new ZooKeeperError(code))
  }

  #told(reader: Reader): void {
    const type = reader.int()
    reader.int()
    const path = reader.text()
    if (type !== DELETED) return
    const all = this.#watches.get(path) ?? []
    this.#watches.delete(path)
    for (const gone of all) gone()
  }

  #end(why: Error): void {
    this.#ended = why
    clearInterval(this.#pings)
    const message = `${this.where}: ${why.message}`
    this.#handshake?.reject(new ConnectionEnded(message, false))
    for (const { reject } of [...this.#asked.values()]) reject(new ConnectionEnded(message, true))
    for (const all of this.#watches.values()) for (const gone of all) gone()
    this.#watches.clear()
  }
}

function authOf(digest: string): Writer {
  return new Writer().int(AUTH).int(OP_AUTH).int(0).bytes('digest').bytes(digest)
}
