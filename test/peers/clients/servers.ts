/** The servers that the clients' scripts talk to: Latchkey, or memcached to check the scripts themselves. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ServerProcess, startLatchkey, startMemcached } from '../../support/process.js'
import { projectRoot } from '../../support/root.js'
import { startLatchkeyOnSocket, type UnixServer } from '../../support/unix-server.js'
import type { Given } from './given.js'

/**
 * LATCHKEY_CLIENTS_AGAINST=memcached runs the scripts against Debian's memcached instead. Not `doors`: memcached's SASL
 * wants a database of passwords that is not ours to make.
 */
const againstMemcached = process.env.LATCHKEY_CLIENTS_AGAINST === 'memcached'
const megabytes = 64
const seconds = 4

export class Servers implements AsyncDisposable {
  readonly given: Given
  readonly #running: Running

  private constructor(given: Given, running: Running) {
    this.given = given
    this.#running = running
  }

  static async start(): Promise<Servers> {
    const running = new Running()
    try {
      return new Servers(await startAll(running), running)
    } catch (error) {
      await running.stop()
      throw error
    }
  }

  /** What the servers have written to stderr, and whether one has died: for messages. */
  said(): string {
    const one = (server: ServerProcess) => server.stderr() + (server.alive() ? '' : `${server.name} has died\n`)
    return this.#running.servers.map(one).join('')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#running.stop()
  }
}

class Running {
  readonly dir = mkdtempSync(join(tmpdir(), 'latchkey-clients-'))
  readonly servers: ServerProcess[] = []
  socket: UnixServer | undefined

  async add(starting: Promise<ServerProcess>): Promise<string> {
    const server = await starting
    this.servers.push(server)
    return `${server.host}:${server.port}`
  }

  async stop(): Promise<void> {
    await Promise.all([this.socket?.stop(), ...this.servers.map((server) => server.stop())])
    rmSync(this.dir, { recursive: true })
  }
}

/** One after another: many threads that start at once keep one another waiting. */
async function startAll(running: Running): Promise<Given> {
  const [ca, key] = ['cert', 'key'].map((name) => join(projectRoot, `test/support/tls/${name}.pem`))
  const tls = ['-Z', '-o', `ssl_chain_cert=${ca},ssl_key=${key}`]
  const login = { user: 'ada', password: 'lovelace-1815' }
  const passwords = join(running.dir, 'passwords')
  writeFileSync(passwords, `${login.user}:${login.password}\n`)
  running.socket = await startLatchkeyOnSocket()
  return {
    servers: [await running.add(start(4)), await running.add(start(2)), await running.add(start(2))],
    emptied: await running.add(start(2)),
    down: `127.0.0.1:${await portOfNobody()}`,
    socket: running.socket.path,
    tls: { server: await running.add(startLatchkey({ threads: 2, args: tls })), ca },
    login: { ...login, server: await running.add(startLatchkey({ threads: 2, args: ['-Y', passwords] })) },
    megabytes,
    seconds,
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
