/** Connections that have each asked once, so that whatever a server keeps for one is there, and then say nothing. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** Fewer than a backlog, so that none has to be tried again. */
const atOnce = 50

export async function openIdle(port: number, tls: boolean, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(atOnce, count - sockets.length) }, () => open(port, tls))
    sockets.push(...(await Promise.all(some)))
  }
  return sockets
}

async function open(port: number, tls: boolean): Promise<Socket> {
  const at = { port, host: '127.0.0.1', noDelay: true }
  // The certificate is the tests' own: nobody else vouches for it.
  const socket = tls ? connectTls({ ...at, rejectUnauthorized: false }) : connect(at)
  await once(socket, tls ? 'secureConnect' : 'connect')
  socket.write('get nothing\r\n')
  const [reply] = (await once(socket, 'data')) as [Buffer]
  if (reply.toString('latin1') !== 'END\r\n') throw new Error(`a connection was answered ${reply.toString('latin1')}`)
  return socket
}

export async function closeAll(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(
    sockets.map(async (socket) => {
      socket.destroy()
      await once(socket, 'close')
    }),
  )
}
