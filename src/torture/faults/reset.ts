import type { Socket } from 'node:net'

/**
 * RST, where that can still be said. A socket that has said FIN, or is not connected yet, is closed instead: told to
 * reset one that is shutting down, Node 20 leaks it, and then never gets to the end of its own process.
 */
export function reset(socket: Socket): void {
  if (socket.writableEnded || socket.connecting) socket.destroy()
  else socket.resetAndDestroy()
}
