/** The servers that the clients' scripts talk to: Latchkey, or memcached to check the scripts themselves. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ServerProcess, startLatchkey, startMemcached } from '../../support/process.js'
import { projectRoot } from '../../support/root.js'
import { startLatchkeyOnSocket } from '../../support/unix-server.js'
import type { Given } from './given.js'

/**
 * LATCHKEY_CLIENTS_AGAINST=memcached runs the scripts against Debian's memcached instead. Not `doors`: memcached's SASL
 * wants a database of passwords that is not ours to make.
 */
const againstMemcached = process.env.LATCHKEY_CLIENTS_AGAINST === 'memcached'
const megabytes = 64
const seconds = 4

export interface Servers extends AsyncDisposable {
  given: Given
  /** What the servers have written to stderr, and whether one has died: for messages. */
  said(): string
}

export async function startServers(): Promise<Servers> {
  const dir = mkdtempSync(join(tmpdir(), 'latchkey-clients-'))
  const login = { user: 'ada', password: 'lovelace-1815' }
  const passwords = join(dir, 'passwords')
  writeFileSync(passwords, `${login.user}:${login.password}\n`)
  const [ca, key] = ['cert', 'key'].map((name) => join(projectRoot, `test/support/tls/${name}.pem`))
  const onSocket = await startLatchkeyOnSocket()
  const started = await Promise.all([
    start(4),
    start(2),
    start(2),
    start(2),
    startLatchkey({ threads: 2, args: ['-Z', '-o', `ssl_chain_cert=${ca},ssl_key=${key}`] }),
    startLatchkey({ threads: 2, args: ['-Y', passwords] }),
  ])
  const [one, two, three, emptied, tls, guarded] = started.map(({ host, port }) => `${host}:${port}`)
  return {
    given: {
      servers: [one, two, three],
      emptied,
      down: `127.0.0.1:${await portOfNobody()}`,
      socket: onSocket.path,
      tls: { server: tls, ca },
      login: { ...login, server: guarded },
      megabytes,
      seconds,
    },
    said: () => started.map((server) => server.stderr() + (server.alive() ? '' : `${server.name} has died\n`)).join(''),
    async [Symbol.asyncDispose]() {
      await Promise.all([onSocket.stop(), ...started.map((server) => server.stop())])
      rmSync(dir, { recursive: true })
    },
  }
}

/** On any port that is free, unless it is said which. */
export function start(threads: number, port?: number): Promise<ServerProcess> {
  const args = port === undefined ? [] : ['-p', `${port}`]
  if (againstMemcached) return startMemcached(['-t', `${threads}`, '-m', `${megabytes}`, ...args])
  return startLatchkey({ threads, memoryMb: megabytes, args })
}

/** A port that was free a moment ago; the kernel gives others to those who ask for any. */
async function portOfNobody(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
