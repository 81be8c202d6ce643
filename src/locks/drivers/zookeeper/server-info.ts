/** What a server says to the four letters `srvr`, which it answers to everybody unless it is told otherwise. */
import { connect } from 'node:net'

export interface ServerInfo {
  readonly version: string
  /** It is no member of an ensemble. */
  readonly alone: boolean
}

export async function serverInfo(where: string, deadlineMs: number): Promise<ServerInfo> {
  const said = await answer(where, deadlineMs)
  const [, version = 'of unknown version'] = /^Zookeeper version: ([\d.]+)/m.exec(said) ?? []
  return { version, alone: /^Mode: standalone/m.test(said) }
}

/** What was said when the server, or the deadline, ended the connection. */
function answer(where: string, deadlineMs: number): Promise<string> {
  return new Promise((resolve) => {
    let said = ''
    const colon = where.lastIndexOf(':')
    const socket = connect(Number(where.slice(colon + 1)), where.slice(0, colon))
    socket.setTimeout(deadlineMs, () => socket.destroy())
    socket.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(said))
    socket.end('srvr')
  })
}
