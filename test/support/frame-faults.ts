/** A proxy for a protocol of frames with their length in front, that loses requests, or replies to requests that were carried out. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Loss } from './http-faults.js'

export class FrameFaults {
  /** So many requests have come since `lose`. */
  count = 0
  readonly #server: Server
  readonly #target: { host: string; port: number }
  readonly #sockets = new Set<Socket>()
  #loss: { number: number; what: Loss } | undefined

  private constructor(target: { host: string; port: number }) {
    this.#target = target
    this.#server = createServer((client) => this.#join(client))
  }

  static async start(target: { host: string; port: number }): Promise<FrameFaults> {
    const faults = new FrameFaults(target)
    await new Promise<void>((resolve) => faults.#server.listen(0, '127.0.0.1', resolve))
    return faults
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Of the requests from here on, this one; its connection ends then. */
  lose(number: number, what: Loss): void {
    this.count = 0
    this.#loss = { number, what }
  }

  heal(): void {
    this.#loss = undefined
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #join(client: Socket): void {
    const server = connect({ ...this.#target, noDelay: true })
    let isLosing = false
    const cut = () => {
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', cut)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        cut()
      })
    }
    byFrame(client, (frame) => {
      const what = this.count++ === this.#loss?.number ? this.#loss.what : undefined
      if (what === 'request') return cut()
      isLosing ||= what === 'reply'
      server.write(frame)
    })
    server.on('data', (bytes) => (isLosing ? cut() : client.write(bytes)))
  }
}

function byFrame(from: Socket, onFrame: (frame: Buffer) => void): void {
  let rest = Buffer.alloc(0)
  from.on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE()) {
      const end = 4 + rest.readInt32BE()
      onFrame(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
  })
}
