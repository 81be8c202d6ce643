/** As `src/client/connection.ts`: one connection from its opening to its end, replies in the order of the requests. */
import { ConnectionLostError, type Session, SessionEndedError } from '../../../client/index.js'
import type { Machine } from '../machine.js'
import type { Channel, Network } from '../network.js'
import type { Host } from '../servers/host.js'
import type { Answer } from '../servers/request.js'
import type { Exchange } from './exchange.js'

/** So many times STALL_MS after its deadline, a reply that still has not come is not waited for. */
const HOPELESS = 5
/** As the client's default. */
export const STALL_MS = 1000

export interface ConnectionEvents {
  ready(): void
  closed(reason: Error): void
}

export class Connection {
  readonly #machine: Machine
  readonly #host: Host
  readonly #network: Network
  readonly #events: ConnectionEvents
  readonly #channel: Channel
  /** Sent, in order; settled ones too, until their reply has come. By their handles. */
  readonly #pending = new Map<number, Exchange>()
  readonly #id: number
  #session: Session | undefined
  #lastHandle = 0
  #heardAt = 0
  #isOver = false

  constructor(network: Network, machine: Machine, host: Host, id: number, events: ConnectionEvents) {
    this.#network = network
    this.#machine = machine
    this.#host = host
    this.#id = id
    this.#events = events
    this.#channel = network.open(machine, host, {
      opened: (version) => this.#open(version),
      answered: (handle, answer) => this.#take(handle, answer),
      ended: (reason, byServer) => this.#end(reason, byServer),
    })
  }

  /** undefined before it is open. */
  get session(): Session | undefined {
    return this.#session
  }

  /** Of what is under way. */
  results(): Promise<unknown>[] {
    return Array.from(this.#pending.values(), ({ promise }) => promise)
  }

  send(exchange: Exchange): void {
    const { session, request } = exchange
    if (session !== undefined && session.id !== this.#id) {
      exchange.fail(new SessionEndedError(session.server))
      return
    }
    if (request === undefined) {
      exchange.deliver(this.#session!)
      return
    }
    exchange.sentAt = this.#machine.monotonicMs()
    const handle = ++this.#lastHandle
    this.#pending.set(handle, exchange)
    this.#channel.send(request, handle, this.#network.nextRequest(this.#machine.who))
  }

  /** Fails what is late. Returns when to look again, by the monotonic clock. */
  expire(now: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const exchange of this.#pending.values()) {
      exchange.expire(now, this.#host.name, undefined)
      if (!exchange.settled) next = Math.min(next, exchange.deadlineAt)
    }
    return Math.min(next, this.#endIfStalled(now))
  }

  /** Says that no more will come, and hears what the server still answers. */
  hangUp(): void {
    this.#channel.finish()
  }

  destroy(reason: Error): void {
    if (this.#isOver) return
    this.#channel.finish()
    this.#end(reason, false)
  }

  #endIfStalled(now: number): number {
    const head = this.#head()
    if (head === undefined || !head.settled) return Number.POSITIVE_INFINITY
    const silentAt = Math.max(head.sentAt, this.#heardAt) + STALL_MS
    const hopelessAt = Math.max(head.sentAt, head.deadlineAt) + HOPELESS * STALL_MS
    if (now < Math.min(silentAt, hopelessAt)) return Math.min(silentAt, hopelessAt)
    this.destroy(new Error(now < silentAt ? 'replies come far too late' : `no reply for ${STALL_MS} ms`))
    return Number.POSITIVE_INFINITY
  }

  #head(): Exchange | undefined {
    for (const exchange of this.#pending.values()) return exchange
    return undefined
  }

  #open(version: string): void {
    if (this.#isOver) return
    const latchkey = version.includes('-latchkey.')
    const server = this.#host.name
    this.#session = { server, id: this.#id, version, meta: true, compareAndDelete: true, latchkey }
    this.#events.ready()
  }

  #take(handle: number, answer: Answer): void {
    if (this.#isOver) return
    this.#heardAt = this.#machine.monotonicMs()
    const exchange = this.#pending.get(handle)!
    this.#pending.delete(handle)
    exchange.deliver(answer)
  }

  #end(reason: Error, byServer: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const exchange of this.#pending.values()) {
      exchange.fail(new ConnectionLostError(this.#host.name, { cause: reason, byServer }))
    }
    this.#pending.clear()
    this.#events.closed(reason)
  }
}
