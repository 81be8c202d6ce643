/** Servers as processes of their own: a crash is then a failed test with its last words, not the runner's death. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { projectRoot } from './root.js'

const startTimeoutMs = 15_000
const stopTimeoutMs = 5_000

export interface ServerProcess {
  /** What it is, for messages: `latchkey -t 4`, `memcached`. */
  readonly name: string
  readonly host: string
  readonly port: number
  /** It speaks TLS, and nothing else. */
  readonly tls?: boolean
  readonly pid: number
  /** False once the process has ended, for whatever reason. */
  alive(): boolean
  /** Everything it has written to stderr so far. */
  stderr(): string
  /** Resolves when the process has ended, with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  /** SIGTERM, and SIGKILL after a grace. Resolves with how it ended; harmless when it has already. */
  stop(): Promise<number | NodeJS.Signals>
}

export interface LatchkeyOptions {
  /** Worker threads; default 4. */
  threads?: number
  /** Megabytes; default 64. */
  memoryMb?: number
  /** More command line arguments. */
  args?: string[]
}

/** Starts `latchkey serve` from `dist`, on a free port of 127.0.0.1, and waits until it listens. */
export async function startLatchkey(options: LatchkeyOptions = {}): Promise<ServerProcess> {
  const { threads = 4, memoryMb = 64, args = [] } = options
  const main = join(projectRoot, 'dist/cli/main.js')
  const line = ['serve', '-l', '127.0.0.1', '-p', '0', '-t', `${threads}`, '-m', `${memoryMb}`, ...args]
  const child = spawn(process.execPath, ['--enable-source-maps', main, ...line], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const server = await whenListening(child, `latchkey -t ${threads}`, () => {
    const address = /(?:127\.0\.0\.1|localhost|\[::1\]):(\d+)/.exec(said)
    return address === null ? undefined : Number(address[1])
  })
  return { ...server, tls: args.includes('-Z') }
}

/** Starts Debian's memcached on a free port of 127.0.0.1 and waits until it listens. Guard with `requirePeer`. */
export async function startMemcached(args: string[] = []): Promise<ServerProcess> {
  const dir = mkdtempSync(join(tmpdir(), 'latchkey-memcached-'))
  const portFile = join(dir, 'port')
  const line = ['-u', 'root', '-l', '127.0.0.1', '-p', '-1', '-U', '0', ...args]
  const env = { ...process.env, MEMCACHED_PORT_FILENAME: portFile }
  const child = spawn('/usr/bin/memcached', line, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  child.once('close', () => rmSync(dir, { recursive: true, force: true }))
  const findPort = () => {
    const text = existsSync(portFile) ? readFileSync(portFile, 'utf8') : ''
    const port = /TCP INET: (\d+)/.exec(text)
    return port === null ? undefined : Number(port[1])
  }
  // It has nothing to lose, and takes a second to stop when asked.
  return whenListening(child, 'memcached', findPort, 'SIGKILL')
}

async function whenListening(
  child: ChildProcess,
  name: string,
  findPort: () => number | undefined,
  stopSignal: NodeJS.Signals = 'SIGTERM',
): Promise<ServerProcess> {
  const words: string[] = []
  child.stderr!.setEncoding('utf8').on('data', (text: string) => words.push(text))
  let end: number | NodeJS.Signals | undefined
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('error', (error) => words.push(String(error)))
    child.once('close', (code, signal) => {
      end = code ?? signal ?? 1
      resolve(end)
    })
  })
  const alive = () => end === undefined
  const stderr = () => words.join('')
  const stop = () => stopChild(child, stopSignal, alive, ended)
  // Should the test process end early, the server must not outlive it.
  const orphan = () => child.kill('SIGKILL')
  process.once('exit', orphan)
  void ended.then(() => process.removeListener('exit', orphan))

  const giveUpAt = performance.now() + startTimeoutMs
  for (;;) {
    const port = findPort()
    if (port !== undefined && (await accepts(port)))
      return { name, host: '127.0.0.1', port, pid: child.pid!, alive, stderr, ended, stop }
    if (!alive()) throw new Error(`${name} ended (${end}) before it listened:\n${stderr()}`)
    if (performance.now() > giveUpAt) {
      await stop()
      throw new Error(`${name} does not listen after ${startTimeoutMs} ms:\n${stderr()}`)
    }
    await sleep(10)
  }
}

async function stopChild(
  child: ChildProcess,
  signal: NodeJS.Signals,
  alive: () => boolean,
  ended: Promise<number | NodeJS.Signals>,
) {
  if (!alive()) return ended
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  const end = await ended
  clearTimeout(late)
  return end
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
