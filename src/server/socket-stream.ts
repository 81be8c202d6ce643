/** The same on Node's public socket: slower, and there when the raw stream is not. */
import type { Socket } from 'node:net'
import { describe } from './raw-stream.js'
import { HEADROOM, READ_BYTES, type ReadBuffer, type Transport, type TransportEvents } from './transport.js'

export class SocketStream implements Transport {
  readonly descriptor: number
  readonly #socket: Socket
  readonly #buffer: ReadBuffer
  #events: TransportEvents | undefined
  #paused = false
  /** Bytes that came in an event larger than the read buffer, or while paused. */
  #backlog: Uint8Array | undefined

  constructor(socket: Socket, buffer: ReadBuffer) {
    this.#socket = socket
    this.descriptor = (socket as unknown as { _handle?: { fd?: number } })._handle?.fd ?? -1
    this.#buffer = buffer
  }

  start(events: TransportEvents): void {
    this.#events = events
    this.#socket.on('data', (chunk: Buffer) => this.#data(chunk))
    this.#socket.on('end', () => events.ended())
    this.#socket.on('drain', () => events.drained())
    // Every error is followed by `close`, which is all a connection wants to know.
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => events.closed())
    this.#socket.resume()
  }

  #data(chunk: Uint8Array): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.#paused) {
        this.#backlog = rest
        return
      }
      const piece = rest.subarray(0, READ_BYTES)
      rest = rest.subarray(piece.length)
      this.#buffer.u8.set(piece, HEADROOM)
      this.#events?.received(piece.length)
    }
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    const backlog = this.#backlog
    this.#backlog = undefined
    if (backlog) this.#data(backlog)
    if (!this.#paused) this.#socket.resume()
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.#socket.destroyed) return true
    this.#socket.write(bytes.subarray(0, length))
    if (this.#socket.writableLength === 0) return true
    // Below its high-water mark a socket would say nothing when the bytes have left.
    if (!this.#socket.writableNeedDrain) this.#socket.write('', () => this.#events?.drained())
    return false
  }

  end(): void {
    this.#socket.end(() => this.#socket.destroy())
  }

  destroy(): void {
    this.#socket.destroy()
  }

  describePeer(): string {
    return describe(this.#socket)
  }
}
