/**
 * Reads and writes on the handle under a `TLSSocket`: see `stream-handle.ts`. It differs from a plain socket's in this:
 *
 * - What is written is encrypted, that is copied, within the call, so the buffer is free at once. But a write is never
 *   done at once, and until it is there must be no other: one more is kept back, and then the connection has to wait.
 * - It goes on handing over what it has decrypted after it was told to stop reading. That is kept until `resume`; it is
 *   no more than one read from the socket.
 */
import type { TLSSocket } from 'node:tls'
import { describe } from './raw-stream.js'
import {
  END_OF_FILE,
  handleOf,
  NOTHING,
  type StreamBinding,
  type StreamHandle,
  streamBinding,
} from './stream-handle.js'
import { HEADROOM, READ_BYTES, type ReadBuffer, type Transport, type TransportEvents } from './transport.js'

/** A stream on `socket`'s handle, or `undefined` where Node does not have what that takes. */
export function openTlsStream(socket: TLSSocket, buffer: ReadBuffer): TlsStream | undefined {
  const handle = streamBinding && handleOf(socket)
  return handle && new TlsStream(socket, handle, buffer)
}

export class TlsStream implements Transport {
  readonly descriptor: number
  readonly #socket: TLSSocket
  readonly #handle: StreamHandle
  readonly #buffer: ReadBuffer
  readonly #binding = streamBinding as StreamBinding
  #events: TransportEvents | undefined
  #paused = false
  /** What came while paused. */
  #early: Uint8Array[] = []
  #endCame = false
  #writing = false
  /** Written while another write was on its way. */
  #next: Uint8Array | undefined
  #ending = false
  #closed = false

  constructor(socket: TLSSocket, handle: StreamHandle, buffer: ReadBuffer) {
    this.#socket = socket
    this.#handle = handle
    this.descriptor = handle.fd ?? -1
    this.#buffer = buffer
  }

  start(events: TransportEvents): void {
    this.#events = events
    const state = this.#binding.streamBaseState
    const result = this.#binding.kReadBytesOrError
    // What came with the end of the handshake may lie in the socket already.
    const first: Uint8Array | null = this.#socket.read()
    if (first !== null) this.#early.push(first)
    this.#handle.useUserBuffer(this.#buffer.landing)
    this.#handle.onread = () => this.#read(state[result])
    // Errors of TLS are told to the socket, which then closes.
    this.#socket.on('error', NOTHING)
    this.#socket.on('close', () => this.destroy())
    this.resume()
  }

  #read(status: number): void {
    if (status > 0) {
      if (this.#paused) this.#early.push(this.#buffer.landing.slice(0, status))
      else this.#events?.received(status)
    } else if (status === END_OF_FILE) {
      this.#endCame = true
      if (!this.#paused) this.#finishReading()
    } else if (status < 0) this.destroy()
  }

  #finishReading(): void {
    this.pause()
    this.#events?.ended()
  }

  pause(): void {
    this.#paused = true
    if (this.#closed || !this.#handle.reading) return
    this.#handle.reading = false
    this.#handle.readStop()
  }

  resume(): void {
    if (this.#closed) return
    this.#paused = false
    this.#handOver()
    if (this.#paused || this.#closed) return
    if (this.#endCame) this.#finishReading()
    else if (!this.#handle.reading) {
      this.#handle.reading = true
      if (this.#handle.readStart() !== 0) this.destroy()
    }
  }

  /** Each piece may make the connection pause again. */
  #handOver(): void {
    while (this.#early.length > 0 && !this.#paused && !this.#closed) {
      const piece = this.#early.shift() as Uint8Array
      if (piece.length > READ_BYTES) this.#early.unshift(piece.subarray(READ_BYTES))
      const bytes = piece.subarray(0, READ_BYTES)
      this.#buffer.u8.set(bytes, HEADROOM)
      this.#events?.received(bytes.length)
    }
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.#closed) return true
    const piece = bytes.subarray(0, length)
    if (this.#writing) {
      this.#next = piece
      return false
    }
    this.#send(piece)
    return true
  }

  #send(piece: Uint8Array): void {
    const request = new this.#binding.WriteWrap()
    request.oncomplete = this.#written
    this.#writing = true
    if (this.#handle.writeBuffer(request, piece) !== 0) this.destroy()
  }

  readonly #written = (status: number): void => {
    this.#writing = false
    if (this.#closed) return
    if (status !== 0) {
      this.destroy()
      return
    }
    const next = this.#next
    this.#next = undefined
    if (next !== undefined) {
      this.#send(next)
      if (!this.#ending) this.#events?.drained()
    } else if (this.#ending) this.#shutdown()
  }

  end(): void {
    if (this.#ending || this.#closed) return
    this.#ending = true
    this.pause()
    if (!this.#writing) this.#shutdown()
  }

  #shutdown(): void {
    const request = new this.#binding.ShutdownWrap()
    request.oncomplete = () => this.destroy()
    if (this.#handle.shutdown(request) !== 0) this.destroy()
  }

  destroy(): void {
    if (this.#closed) return
    this.pause()
    this.#closed = true
    this.#early = []
    this.#next = undefined
    this.#handle.onread = NOTHING
    this.#socket.destroy()
    this.#events?.closed()
  }

  describePeer(): string {
    return describe(this.#socket)
  }
}
