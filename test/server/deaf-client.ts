/** A client that reads only when told to, and then counts what it gets without keeping it. */
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Dialled, dial } from '../support/dial.js'

export class DeafClient {
  received = 0
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => undefined)
  }

  static async open(server: Dialled): Promise<DeafClient> {
    const socket = await dial(server)
    socket.pause()
    return new DeafClient(socket)
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes)
  }

  listen(): void {
    this.#socket.on('data', (chunk) => {
      this.received += chunk.length
    })
    this.#socket.resume()
  }

  /** Resolves when this many bytes have come; throws when they stop coming for a long time. */
  async until(bytes: number): Promise<void> {
    for (let idle = 0; this.received < bytes; idle++) {
      const seen = this.received
      await sleep(20)
      if (this.received !== seen) idle = 0
      if (idle > 500) throw new Error(`${this.received} of ${bytes} bytes came, and then none`)
    }
  }

  close(): void {
    this.#socket.destroy()
  }
}
