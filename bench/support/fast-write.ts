import type { Socket } from 'node:net'

/**
 * Writing past the stream machinery, straight to the socket's handle, halves what a request costs the generator.
 * These are internals of Node, so they live here alone, are looked for, and `socket.write` is the fallback.
 */
export function fastWriter(socket: Socket): (bytes: Uint8Array) => void {
  const handle = (socket as unknown as { _handle?: StreamHandle })._handle
  if (WriteWrap === undefined || typeof handle?.writeBuffer !== 'function') return (bytes) => void socket.write(bytes)
  const Wrap = WriteWrap
  return (bytes) => {
    const request = new Wrap()
    request.oncomplete = nothing
    request.buffer = bytes // keeps the bytes alive while the kernel has not taken them all
    const status = handle.writeBuffer(request, bytes)
    if (status !== 0) socket.destroy(new Error(`write failed with ${status}`))
  }
}

interface StreamHandle {
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number
}

interface WriteRequest {
  oncomplete: () => void
  buffer: Uint8Array
}

const WriteWrap = streamWrap()

function streamWrap(): (new () => WriteRequest) | undefined {
  try {
    const binding = (process as unknown as { binding(name: string): unknown }).binding('stream_wrap')
    return (binding as { WriteWrap?: new () => WriteRequest }).WriteWrap
  } catch {
    return undefined
  }
}

function nothing(): void {}
