/** A TCP proxy between a client and a real server, that does to connections what networks do: by plan, or by hand. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { type Fault, FaultFlow, type Mishap } from './fault-flow.js'
import { reset } from './reset.js'

export type { Fault, Mishap }

/** What becomes of one connection. Offsets count from its first byte, the client's greeting and its answer included. */
export interface ConnectionFault {
  /** From the client to the server. */
  requests?: Fault
  /** From the server to the client. */
  replies?: Fault
  /** Closed as soon as it is accepted, before the server hears of it. */
  closeAtOnce?: 'fin' | 'rst'
  /** Accepted, and never answered; the server does not hear of it. */
  swallow?: boolean
}

interface Pair {
  client: Socket
  server: Socket | undefined
}

export class FaultProxy {
  /** An address of the proxy's own, so that nobody takes its port while it refuses. */
  readonly host = ownAddress()
  /** Accepted so far. */
  accepted = 0
  /** What becomes of connection number n, from 0; asked as it is accepted. Default: nothing. */
  plan: (connection: number) => ConnectionFault = () => ({})
  /** While it stands, all bytes of that direction are lost, on all connections. */
  losing: 'requests' | 'replies' | undefined
  #port = 0
  #healed = false
  #listener: Server | undefined
  #pairs = new Set<Pair>()
  #hanging: { promise: Promise<void>; release: () => void } | undefined
  readonly #target: { host: string; port: number }

  private constructor(target: { host: string; port: number }) {
    this.#target = target
  }

  static async start(target: { host: string; port: number }): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    await proxy.accept()
    return proxy
  }

  get port(): number {
    return this.#port
  }

  /** Connections of clients that are open now. */
  get open(): number {
    return this.#pairs.size
  }

  /** Holds all bytes back, in both directions and on new connections too, until `resume` lets them go on. */
  hang(): void {
    if (this.#hanging !== undefined) return
    let release = () => {}
    const promise = new Promise<void>((resolve) => {
      release = resolve
    })
    this.#hanging = { promise, release }
  }

  resume(): void {
    this.#hanging?.release()
    this.#hanging = undefined
  }

  /** Ends every connection there is. Bytes on their way are lost with `rst`, the default. */
  cutAll(how: 'fin' | 'rst' = 'rst'): void {
    for (const pair of this.#pairs) cut(pair, how)
  }

  /** Connections are refused from now on (nothing listens); those there are stay. */
  async refuse(): Promise<void> {
    const listener = this.#listener
    this.#listener = undefined
    // Its close event waits for the connections; the port is free as soon as this returns.
    listener?.close()
  }

  /** Connections are accepted again, on the same port. */
  async accept(): Promise<void> {
    if (this.#listener !== undefined) return
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#connected(socket))
    this.#listener = listener
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject)
      listener.listen(this.#port, this.host, resolve)
    })
    this.#port = (listener.address() as AddressInfo).port
  }

  /** No more faults: new connections go through untouched, those there are quickly. What is silent stays so. */
  async heal(): Promise<void> {
    this.#healed = true
    this.plan = () => ({})
    this.losing = undefined
    this.resume()
    await this.accept()
  }

  async stop(): Promise<void> {
    this.resume()
    this.cutAll()
    await this.refuse()
  }

  #connected(client: Socket): void {
    const fault = this.plan(this.accepted++)
    const pair: Pair = { client, server: undefined }
    this.#pairs.add(pair)
    client.on('error', () => cut(pair, 'rst'))
    client.on('close', () => {
      this.#pairs.delete(pair)
      pair.server?.destroy()
    })
    if (fault.closeAtOnce !== undefined) cut(pair, fault.closeAtOnce)
    else if (fault.swallow) client.resume()
    else this.#join(pair, fault)
  }

  #join(pair: Pair, fault: ConnectionFault): void {
    const { host, port } = this.#target
    const server = connect({ host, port, allowHalfOpen: true, noDelay: true })
    pair.server = server
    server.on('error', () => cut(pair, 'rst'))
    const around = {
      passable: () => this.#hanging?.promise,
      healed: () => this.#healed,
      reset: () => cut(pair, 'rst'),
    }
    const flow = (from: Socket, to: Socket, what: 'requests' | 'replies') =>
      new FaultFlow(from, to, fault[what] ?? {}, { ...around, lost: () => this.losing === what })
    flow(pair.client, server, 'requests')
    flow(server, pair.client, 'replies')
  }
}

let addresses = 0

/** One that no other proxy or server has: Linux has all of 127.0.0.0/8, and gives 127.0.0.1 to connections that go out. */
export function ownAddress(): string {
  const number = ++addresses
  return `127.${1 + (process.pid % 250)}.${(number >> 8) & 255}.${number & 255}`
}

function cut(pair: Pair, how: 'fin' | 'rst'): void {
  for (const socket of [pair.client, pair.server]) {
    if (socket === undefined) continue
    if (how === 'rst') reset(socket)
    else socket.destroySoon()
  }
}
