/** Connections that are opened and left: silent, in the middle of a request, or gone as soon as they have come. */
import { connect } from 'node:net'
import type { Attack } from '../assault.js'
import { leave, many, read, write } from '../sockets.js'

/** One in three says nothing, one has asked once, one stops within a data block; and then they stay, and then they leave. */
export function crowd(count: number, stayMs: number): Attack {
  return async (door, atItsHeight) => {
    const sockets = await many(count, async (index) => {
      const socket = await door.open()
      if (index % 3 === 1) {
        await write(socket, 'mn\r\n')
        await read(socket, (text) => text.endsWith('\n'))
      }
      if (index % 3 === 2) await write(socket, 'set left 0 0 100000\r\nbegun')
      return socket
    })
    await new Promise((resolve) => setTimeout(resolve, stayMs))
    atItsHeight()
    await leave(sockets)
    return `${count} connections`
  }
}

/** They come and go without a word, or with half a word, and with a reset. */
export function comeAndGo(count: number): Attack {
  return async ({ server }, atItsHeight) => {
    const come = (index: number) =>
      new Promise<void>((resolve) => {
        const socket = connect(server.port, server.host, () => {
          if (index % 2 === 1) socket.write('ge')
          if (index % 3 === 0) socket.resetAndDestroy()
          else socket.destroy()
        })
        socket.on('error', () => undefined).on('close', () => resolve())
      })
    await many(count, come)
    atItsHeight()
    return `${count} connections, one after the other`
  }
}
