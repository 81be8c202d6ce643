/** What the test doubles of servers have in common: a port of their own, and an end. */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { reset } from 'latchkey/torture'

export interface Double {
  readonly host: string
  readonly port: number
  /** Connections accepted so far. */
  accepted(): number
  /** Connections open now. */
  open(): number
  /** Resets all connections and listens no more. */
  stop(): Promise<void>
}

/** Listens on a free port of 127.0.0.1 and gives every connection to `serve`. */
export async function startDouble(serve: (socket: Socket) => void): Promise<Double> {
  const sockets = new Set<Socket>()
  let accepted = 0
  const listener = createServer({ noDelay: true }, (socket) => {
    accepted++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    serve(socket)
  })
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(0, '127.0.0.1', resolve)
  })
  const { port } = listener.address() as AddressInfo
  const stop = () =>
    new Promise<void>((resolve) => {
      listener.close(() => resolve())
      for (const socket of sockets) reset(socket)
    })
  return { host: '127.0.0.1', port, accepted: () => accepted, open: () => sockets.size, stop }
}

/** Accepts, reads, and says nothing. */
export function startSilentServer(): Promise<Double> {
  return startDouble((socket) => socket.resume())
}
