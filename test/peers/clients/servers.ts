/** The servers that the clients' scripts talk to: Latchkey, or memcached to check the scripts themselves. */
import { createServer } from 'node:net'
import { type ServerProcess, startLatchkey, startMemcached } from '../../support/process.js'
import type { Given } from './given.js'

/** LATCHKEY_CLIENTS_AGAINST=memcached runs every script against Debian's memcached instead. */
const againstMemcached = process.env.LATCHKEY_CLIENTS_AGAINST === 'memcached'
const megabytes = 64
const seconds = 4

export interface Servers extends AsyncDisposable {
  given: Given
  /** What the servers have written to stderr, and whether one has died: for messages. */
  said(): string
}

export async function startServers(): Promise<Servers> {
  const started = await Promise.all([start(2), start(4), start(2), start(2)])
  const [emptied, ...three] = started.map(({ host, port }) => `${host}:${port}`)
  const down = `127.0.0.1:${await portOfNobody()}`
  return {
    given: { servers: three, emptied, down, megabytes, seconds },
    said: () => started.map((server) => server.stderr() + (server.alive() ? '' : `${server.name} has died\n`)).join(''),
    async [Symbol.asyncDispose]() {
      await Promise.all(started.map((server) => server.stop()))
    },
  }
}

export function start(threads: number, args: string[] = []): Promise<ServerProcess> {
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
