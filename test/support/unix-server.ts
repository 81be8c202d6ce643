/** Servers that listen on a Unix socket. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { projectRoot } from './root.js'

const startTimeoutMs = 15_000

export interface UnixServer {
  readonly path: string
  readonly pid: number
  stop(): Promise<void>
}

export function startLatchkeyOnSocket(args: string[] = []): Promise<UnixServer> {
  const main = join(projectRoot, 'dist/cli/main.js')
  return start((path) => spawn(process.execPath, [main, 'serve', '-s', path, '-t', '2', ...args], { stdio: 'ignore' }))
}

/** Guard with `requirePeer`. */
export function startMemcachedOnSocket(): Promise<UnixServer> {
  return start((path) => spawn('/usr/bin/memcached', ['-u', 'root', '-s', path], { stdio: 'ignore' }))
}

async function start(run: (path: string) => ChildProcess): Promise<UnixServer> {
  const dir = mkdtempSync(join(tmpdir(), 'latchkey-socket-'))
  const path = join(dir, 'socket')
  const child = run(path)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const orphan = () => child.kill('SIGKILL')
  process.once('exit', orphan)
  const stop = async () => {
    process.removeListener('exit', orphan)
    child.kill('SIGTERM')
    await ended
    rmSync(dir, { recursive: true, force: true })
  }
  const giveUpAt = performance.now() + startTimeoutMs
  while (!(await accepts(path))) {
    if (performance.now() > giveUpAt || child.exitCode !== null) {
      await stop()
      throw new Error(`nothing listens on ${path} (exit code ${child.exitCode})`)
    }
    await sleep(10)
  }
  return { path, pid: child.pid as number, stop }
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => socket.destroy())
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  })
}
