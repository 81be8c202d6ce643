/** A connection as the server wants it: TLS where it speaks that, its certificate taken for good. */
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

export interface Dialled {
  readonly host: string
  readonly port: number
  /** It speaks TLS; more options for that. Default no. */
  readonly tls?: boolean | ConnectionOptions
}

/** Rejects when there is nobody, or when the handshake fails. */
export function dial({ host, port, tls = false }: Dialled): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const more = tls === true ? {} : tls
    const socket = more ? connectTls({ port, host, rejectUnauthorized: false, ...more }) : connect(port, host)
    socket.once('error', reject)
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      socket.removeListener('error', reject)
      resolve(socket)
    })
  })
}
