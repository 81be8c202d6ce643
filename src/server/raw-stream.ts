/**
 * Reads and writes on the stream handle that lies under a `net.Socket`.
 *
 * Node's public streams cost about as much a request as everything else the server does: an event, a fresh
 * buffer and a queue entry each. The handle reads into one buffer for the whole thread and says at once whether
 * a write has left. These are internals of Node, unchanged since version 12; this is the only file that knows
 * them. `rawStreamsWork` looks for every one of them at start, and without them `SocketStream` does the work.
 */
import type { Socket } from 'node:net'
import type { ReadBuffer, Transport, TransportEvents } from './transport.js'

/** What this file uses of libuv's stream, as Node wraps it. */
interface StreamHandle {
  readonly fd?: number
  /** Node insists on a function here, also after the last read. */
  onread: () => void
  reading: boolean
  useUserBuffer(buffer: Uint8Array): void
  readStart(): number
  readStop(): number
  writeBuffer(request: object, buffer: Uint8Array): number
  shutdown(request: object): number
  close(done?: () => void): void
}

interface WriteRequest {
  oncomplete: (status: number) => void
  /** Keeps the bytes alive until they have left. */
  buffer: Uint8Array | undefined
}

interface StreamBinding {
  WriteWrap: new () => WriteRequest
  ShutdownWrap: new () => WriteRequest
  streamBaseState: Int32Array
  kReadBytesOrError: number
  kLastWriteWasAsync: number
}

const binding = loadBinding()

function loadBinding(): StreamBinding | undefined {
  if (process.env.LATCHKEY_PLAIN_SOCKETS === '1') return undefined
  try {
    const load = (process as unknown as { binding(name: string): Partial<StreamBinding> }).binding
    const found = load.call(process, 'stream_wrap')
    const complete =
      typeof found.WriteWrap === 'function' &&
      typeof found.ShutdownWrap === 'function' &&
      found.streamBaseState instanceof Int32Array &&
      typeof found.kReadBytesOrError === 'number' &&
      typeof found.kLastWriteWasAsync === 'number'
    return complete ? (found as StreamBinding) : undefined
  } catch {
    return undefined
  }
}

function handleOf(socket: Socket): StreamHandle | undefined {
  const handle = (socket as unknown as { _handle?: Partial<StreamHandle> })._handle
  const complete =
    typeof handle?.useUserBuffer === 'function' &&
    typeof handle.readStart === 'function' &&
    typeof handle.readStop === 'function' &&
    typeof handle.writeBuffer === 'function' &&
    typeof handle.shutdown === 'function' &&
    typeof handle.close === 'function'
  return complete ? (handle as StreamHandle) : undefined
}

/** A raw stream on `socket`'s handle, or `undefined` where Node does not have what that takes. */
export function openRawStream(socket: Socket, buffer: ReadBuffer): RawStream | undefined {
  const handle = binding && handleOf(socket)
  return handle && new RawStream(socket, handle, buffer)
}

export class RawStream implements Transport {
  readonly descriptor: number
  readonly #socket: Socket
  readonly #handle: StreamHandle
  readonly #buffer: ReadBuffer
  readonly #binding = binding as StreamBinding
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

const NOTHING = () => undefined

/** UV_EOF, which is not in `os.constants`. */
const END_OF_FILE = -4095

export function describe(socket: Socket): string {
  const { remoteAddress, remotePort, remoteFamily } = socket
  if (remoteAddress === undefined) return 'unix'
  return remoteFamily === 'IPv6' ? `tcp6:[${remoteAddress}]:${remotePort}` : `tcp:${remoteAddress}:${remotePort}`
}
