/**
 * The stream handle that lies under a `net.Socket`, or under a `TLSSocket`.
 *
 * Node's public streams cost about as much a request as everything else the server does: an event, a fresh
 * buffer and a queue entry each. The handle reads into one buffer for the whole thread and says at once whether
 * a write has left. These are internals of Node, unchanged since version 12; this is the only file that knows them,
 * for `RawStream` and `TlsStream`. It looks for every one of them, and where one is missing `SocketStream` does the work.
 */
import type { Socket } from 'node:net'

/** What we use of libuv's stream, as Node wraps it. */
export interface StreamHandle {
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

export interface WriteRequest {
  oncomplete: (status: number) => void
  /** Keeps the bytes alive until they have left. */
  buffer: Uint8Array | undefined
}

export interface StreamBinding {
  WriteWrap: new () => WriteRequest
  ShutdownWrap: new () => WriteRequest
  streamBaseState: Int32Array
  kReadBytesOrError: number
  kLastWriteWasAsync: number
}

/** `undefined` where Node does not have all of it. */
export const streamBinding = loadBinding()

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

export function handleOf(socket: Socket): StreamHandle | undefined {
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

/** For `onread` after the last read. */
export const NOTHING = () => undefined

/** UV_EOF, which is not in `os.constants`. */
export const END_OF_FILE = -4095
