import { type ChildProcess, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { outputMatching, startPinned, stop } from './process.js'

export interface ServerOptions {
  threads: number
  memoryMiB: number
  /** The core to pin it to; undefined for all. */
  core?: number
  /** Default no. */
  tls?: boolean
  /** Default: the server's own, 1024. */
  connections?: number
}

export interface RunningServer {
  readonly name: string
  readonly pid: number
  readonly port: number
  stop(): Promise<void>
}

export type StartServer = (options: ServerOptions) => Promise<RunningServer>

export interface Contestants {
  latchkey: StartServer
  memcached: StartServer
}

export const builtMain = join(import.meta.dirname, '../../../dist/cli/main.js')
const certificates = join(import.meta.dirname, '../../../test/support/tls')

/** `main` is the compiled `cli/main.js` to run: another build's, to compare with. */
function latchkeyOf(main: string): StartServer {
  return async (options) => {
    const child = startPinned(options.core, [process.execPath, main, 'serve', '-p', '0', ...sizing(options)])
    const [, port] = await outputMatching(child, /(?:127\.0\.0\.1|localhost|\[::1\]):(\d+)/)
    return running('latchkey', child, Number(port))
  }
}

export async function startMemcached(options: ServerOptions): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'))
  const portFile = join(folder, 'port')
  // memcached refuses to run as root unless told to; -p -1 takes any free port and writes it to the file.
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : []
  const argv = ['memcached', ...user, '-l', '127.0.0.1', '-p', '-1', ...sizing(options)]
  const child = startPinned(options.core, argv, { MEMCACHED_PORT_FILENAME: portFile })
  try {
    return running('memcached', child, await portWritten(portFile))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/**
 * Debian's redis-server on its own settings, but for persistence, which is off: on a free port, since it cannot choose one.
 * @throws Error that says how to get it when it is not installed.
 */
export async function startRedis({ core }: Pick<ServerOptions, 'core'>): Promise<RunningServer> {
  if (spawnSync('redis-server', ['--version']).error !== undefined)
    throw new Error('redis-server is not installed, and the peers of the locks need it: apt-get install redis-server')
  const port = await freePort()
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()]
  const child = startPinned(core, ['redis-server', ...settings])
  await outputMatching(child, /Ready to accept connections/)
  return running('redis', child, port)
}

/** Both sides memcached: whatever differs from 1.00 then is the method's error. */
export const calibration: Contestants = { latchkey: startMemcached, memcached: startMemcached }

export function contest(main: string): Contestants {
  return { latchkey: latchkeyOf(main), memcached: startMemcached }
}

/** Starts both, runs `use`, stops both whatever happens. */
export async function withBoth<T>(
  contestants: Contestants,
  options: ServerOptions,
  use: (latchkey: RunningServer, memcached: RunningServer) => Promise<T>,
): Promise<T> {
  const latchkey = await contestants.latchkey(options)
  try {
    const memcached = await contestants.memcached(options)
    try {
      return await use(latchkey, memcached)
    } finally {
      await memcached.stop()
    }
  } finally {
    await latchkey.stop()
  }
}

/** The options that both have. */
function sizing({ threads, memoryMiB, connections, tls }: ServerOptions): string[] {
  return [
    ...['-t', String(threads), '-m', String(memoryMiB)],
    ...(connections === undefined ? [] : ['-c', String(connections)]),
    ...(tls === true ? ['-Z', '-o', `ssl_chain_cert=${certificates}/cert.pem,ssl_key=${certificates}/key.pem`] : []),
  ]
}

function running(name: string, child: ChildProcess, port: number): RunningServer {
  child.stdout?.resume()
  child.stderr?.resume()
  return { name, pid: child.pid!, port, stop: () => stop(child) }
}

async function portWritten(file: string): Promise<number> {
  for (let tries = 0; tries < 500; tries++) {
    const match = /TCP INET: (\d+)/.exec(contents(file))
    if (match !== null) return Number(match[1])
    await sleep(10)
  }
  throw new Error('memcached did not write its port within 5 s: is it installed?')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function contents(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
