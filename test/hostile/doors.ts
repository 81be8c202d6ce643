/** The ways into a server: plain, over TLS, with a password asked for; each on a server of its own. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { type ServerProcess, startLatchkey } from '../support/process.js'
import { projectRoot } from '../support/root.js'

export type DoorKind = 'plain' | 'TLS' | 'password'

export interface Door {
  readonly kind: DoorKind
  readonly server: ServerProcess
  /** A connection that may speak: behind the handshake, but not behind the password. */
  open(): Promise<Socket>
  /** A connection of TCP alone. */
  openBare(): Promise<Socket>
  stop(): Promise<void>
}

export const user = 'keeper'
export const password = 'correct horse battery staple'

const certificates = join(projectRoot, 'test/support/tls')

export async function openDoor(kind: DoorKind, connections: number): Promise<Door> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-hostile-'))
  const file = join(folder, 'passwords')
  writeFileSync(file, `nobody:nothing\n${user}:${password}\n`)
  const args = ['-c', `${connections}`, ...argumentsOf(kind, file)]
  const server = await startLatchkey({ threads: 2, memoryMb: 64, args })
  const openBare = () => opened(connect(server.port, server.host), 'connect')
  return {
    kind,
    server,
    openBare,
    open: () => (kind === 'TLS' ? openTls(server) : openBare()),
    stop: async () => {
      await server.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

function argumentsOf(kind: DoorKind, passwordFile: string): string[] {
  if (kind === 'TLS') return ['-Z', '-o', `ssl_chain_cert=${certificates}/cert.pem,ssl_key=${certificates}/key.pem`]
  return kind === 'password' ? ['-Y', passwordFile] : []
}

function openTls({ host, port }: ServerProcess): Promise<Socket> {
  return opened(connectTls({ host, port, rejectUnauthorized: false }), 'secureConnect')
}

async function opened<S extends Socket>(socket: S, event: string): Promise<S> {
  await once(socket, event)
  socket.setNoDelay(true)
  // Whoever attacks is hung up on now and then: that is what `close` tells.
  socket.on('error', () => undefined)
  return socket
}
