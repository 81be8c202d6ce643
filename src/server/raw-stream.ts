/** Reads and writes on the handle under a `net.Socket`: see `stream-handle.ts`. */
import type { Socket } from 'node:net'
import {
  END_OF_FILE,
  handleOf,
  NOTHING,
  type StreamBinding,
  type StreamHandle,
  streamBinding,
  type WriteRequest,
} from './stream-handle.js'
import type { ReadBuffer, Transport, TransportEvents } from './transport.js'

/** A raw stream on `socket`'s handle, or `undefined` where Node does not have what that takes. */
export function openRawStream(socket: Socket, buffer: ReadBuffer): RawStream | undefined {
  const handle = streamBinding && handleOf(socket)
  return handle && new RawStream(socket, handle, buffer)
}

export class RawStream implements Transport {
  readonly descriptor: number
  readonly #socket: Socket
  readonly #handle: StreamHandle
  readonly #buffer: ReadBuffer
  readonly #binding = streamBinding as StreamBinding
  #events: TransportEvents | undefined
  #request: WriteRequest
  #writing = false
  #ending = false
  #closed = false

  constructor(socket: Socket, handle: StreamHandle, buffer: ReadBuffer) {
    this.#socket = socket
    this.#handle = handle
    this.descriptor = handle.fd ?? -1
    this.#buffer = buffer
    this.#request = new this.#binding.WriteWrap()
  }

  start(events: TransportEvents): void {
    this.#events = events
    const state = this.#binding.streamBaseState
    const result = this.#binding.kReadBytesOrError
    this.#handle.useUserBuffer(this.#buffer.landing)
    this.#handle.onread = () => {
      const received = state[result]
      if (received > 0) events.received(received)
      else if (received < 0) this.#readFailed(received)
    }
    this.resume()
  }

  #readFailed(status: number): void {
    this.pause()
    if (status === END_OF_FILE) this.#events?.ended()
    else this.destroy()
  }

  pause(): void {
    if (this.#closed || !this.#handle.reading) return
    this.#handle.reading = false
    this.#handle.readStop()
  }

  resume(): void {
    if (this.#closed || this.#handle.reading) return
    this.#handle.reading = true
    if (this.#handle.readStart() !== 0) this.destroy()
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.#closed) return true
    const piece = bytes.subarray(0, length)
    const request = this.#request
    const failed = this.#handle.writeBuffer(request, piece)
    if (failed !== 0) {
      this.destroy()
      return true
    }
    if (this.#binding.streamBaseState[this.#binding.kLastWriteWasAsync] === 0) return true
    // Only now does libuv hold on to the request and the bytes.
    this.#writing = true
    request.buffer = piece
    request.oncomplete = (status) => this.#written(status)
    this.#request = new this.#binding.WriteWrap()
    return false
  }

  #written(status: number): void {
    this.#writing = false
    if (status !== 0) this.destroy()
    else if (this.#ending) this.#shutdown()
    else this.#events?.drained()
  }

  end(): void {
    if (this.#ending || this.#closed) return
    this.#ending = true
    this.pause()
    if (!this.#writing) this.#shutdown()
  }

  #shutdown(): void {
    if (this.#closed) return
    const request = new this.#binding.ShutdownWrap()
    request.oncomplete = () => this.destroy()
    if (this.#handle.shutdown(request) !== 0) this.destroy()
  }

  destroy(): void {
    if (this.#closed) return
    this.pause()
    this.#closed = true
    this.#handle.onread = NOTHING
    this.#handle.close()
    this.#events?.closed()
  }

  describePeer(): string {
    return describe(this.#socket)
  }
}

export function describe(socket: Socket): string {
  const { remoteAddress, remotePort, remoteFamily } = socket
  if (remoteAddress === undefined) return 'unix'
  return remoteFamily === 'IPv6' ? `tcp6:[${remoteAddress}]:${remotePort}` : `tcp:${remoteAddress}:${remotePort}`
}
