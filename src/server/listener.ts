/**
 * How connections reach the worker threads. Node has three ways, and this is the ladder, best first:
 *
 * 1. `TurnListener`: the main thread accepts, and moves each socket to the next worker in turn. Perfectly even,
 *    and a dead worker takes nobody's place in line with it. Needs transferable sockets (24 and later).
 * 2. `ReusePortListener`: each worker has a listening socket of its own on the same port, and the kernel picks by
 *    a hash of the addresses. Even in the long run. Linux, from 22.12 on.
 * 3. `SharedListener`: each worker listens on a duplicate of one descriptor, and whoever wakes first takes what
 *    there is. Works everywhere, also for Unix sockets, but a burst lands unevenly: one busy moment of a worker
 *    gives its share to the others. Nothing mends that without moving sockets, so keep connections open on Node 20.
 */
import { createServer, type Server, Socket } from 'node:net'
import type { Worker } from 'node:worker_threads'
import { reply } from '../protocol/index.js'
import type { FromWorker, ListenAt, ToWorker } from './messages.js'
import { Cell, Metric, type Metrics } from './metrics.js'
import type { Settings } from './options.js'
import { SharedListener } from './shared-listener.js'

export interface Listener {
  readonly kind: 'turns' | 'reusePort' | 'shared'
  /** The port in fact, 0 on a Unix socket. */
  readonly port: number
  /** Lets a worker have connections. */
  attach(worker: Worker): Promise<void>
  detach(worker: Worker): void
  /** Takes no more connections on this thread. */
  close(): void
}

export type Log = (message: string) => void

export async function openListener(settings: Settings, metrics: Metrics, log: Log): Promise<Listener> {
  const isTcp = settings.socketPath === undefined
  const wanted = process.env.LATCHKEY_LISTENER
  if (isTcp && wanted !== 'reusePort' && wanted !== 'shared' && socketsMove()) {
    return TurnListener.open(settings, metrics, log)
  }
  if (isTcp && wanted !== 'shared' && portsAreReusable()) return ReusePortListener.open(settings)
  return SharedListener.open(settings)
}

/** Transferable sockets are marked by a symbol that Node does not export; its description tells it. */
function socketsMove(): boolean {
  return Object.getOwnPropertySymbols(Socket.prototype).some(
    ({ description }) => description === 'messaging_transfer_symbol',
  )
}

function portsAreReusable(): boolean {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return process.platform === 'linux' && (major > 22 || (major === 22 && minor >= 12))
}

class TurnListener implements Listener {
  readonly kind = 'turns'
  readonly port: number
  readonly #server: Server
  readonly #workers: Worker[] = []
  #next = 0

  private constructor(server: Server, settings: Settings, metrics: Metrics, log: Log) {
    this.#server = server
    this.port = portOf(server)
    server.on('connection', (socket) => {
      if (Atomics.add(metrics.cells, Cell.Connections, 1) < settings.maxConnections) this.#pass(socket)
      else refuse(socket, settings, metrics, log)
    })
  }

  static async open(settings: Settings, metrics: Metrics, log: Log): Promise<TurnListener> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true })
    await listening(server, { host: settings.host, port: settings.port, backlog: settings.backlog })
    return new TurnListener(server, settings, metrics, log)
  }

  #pass(socket: Socket): void {
    const worker = this.#workers[this.#next++ % this.#workers.length]
    if (worker === undefined) socket.destroy()
    else worker.postMessage({ kind: 'socket', socket } satisfies ToWorker, [socket as never])
  }

  async attach(worker: Worker): Promise<void> {
    this.#workers.push(worker)
  }

  detach(worker: Worker): void {
    const at = this.#workers.indexOf(worker)
    if (at >= 0) this.#workers.splice(at, 1)
  }

  close(): void {
    this.#server.close()
  }
}

function refuse(socket: Socket, { tls }: Settings, metrics: Metrics, log: Log): void {
  if (Atomics.load(metrics.cells, Cell.Verbosity) >= 1) log('latchkey: connection refused: too many are open')
  Atomics.sub(metrics.cells, Cell.Connections, 1)
  metrics.add(Metric.RejectedConnections, 1)
  socket.on('error', () => undefined)
  // Who begins a TLS handshake would not understand it.
  if (tls !== undefined) socket.destroy()
  else socket.end(reply.TOO_MANY_CONNECTIONS.toString(), () => socket.destroy())
}

class ReusePortListener implements Listener {
  readonly kind = 'reusePort'
  readonly #settings: Settings
  #port: number

  private constructor(settings: Settings, port: number) {
    this.#settings = settings
    this.#port = port
  }

  /** Two servers would share a reusable port without a word, so ask first whether it is free. */
  static async open(settings: Settings): Promise<ReusePortListener> {
    const probe = createServer()
    await listening(probe, { host: settings.host, port: settings.port })
    await new Promise((resolve) => probe.close(resolve))
    return new ReusePortListener(settings, settings.port)
  }

  get port(): number {
    return this.#port
  }

  async attach(worker: Worker): Promise<void> {
    const { host, backlog } = this.#settings
    this.#port = await listenIn(worker, { host, port: this.#port, backlog, reusePort: true })
  }

  detach(): void {}

  close(): void {}
}

/** Tells a worker to listen. The port that it has. */
export function listenIn(worker: Worker, at: ListenAt): Promise<number> {
  return new Promise((resolve, reject) => {
    const heard = (message: FromWorker) => {
      if (message.kind !== 'listening' && message.kind !== 'listen failed') return
      worker.off('message', heard)
      if (message.kind === 'listening') resolve(message.port)
      else reject(Object.assign(new Error(message.message), { code: message.code }))
    }
    worker.on('message', heard)
    worker.postMessage({ kind: 'listen', at } satisfies ToWorker)
  })
}

function listening(server: Server, at: { host: string; port: number; backlog?: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(at, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
