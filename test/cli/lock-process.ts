/** `latchkey lock` and `latchkey locks` as processes. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { requirePeer } from '../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../support/process.js'
import { projectRoot } from '../support/root.js'

const main = join(projectRoot, 'dist/cli/main.js')

/** Each kind of server that locks are kept on; undefined where it is not installed, and then the test is skipped. */
export const servers: readonly [name: string, start: (t: TestContext) => Promise<ServerProcess | undefined>][] = [
  ['Latchkey', async (t) => stopsAfter(t, await startLatchkey({ threads: 2 }))],
  [
    'memcached',
    async (t) => (requirePeer(t, '/usr/bin/memcached') ? stopsAfter(t, await startMemcached()) : undefined),
  ],
]

function stopsAfter(t: TestContext, server: ServerProcess): ServerProcess {
  t.after(() => server.stop())
  return server
}

export interface LockRun {
  readonly child: ChildProcess
  readonly pid: number
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
  stdout(): string
  stderr(): string
}

function where(server: ServerProcess): string[] {
  return ['--servers', `${server.host}:${server.port}`]
}

/** `args` are the name, options, `--` and the command. */
export function lock(server: ServerProcess, args: readonly string[]): LockRun {
  const child = spawn(process.execPath, [main, 'lock', ...where(server), '--trust-fresh', ...args])
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text) => {
      said[stream] += text
    })
  }
  const ended = new Promise<number | string>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal!)),
  )
  return { child, pid: child.pid!, ended, stdout: () => said.stdout, stderr: () => said.stderr }
}

/** `latchkey locks …`, or another command, to its end. */
export function latchkey(server: ServerProcess, command: readonly string[], args: readonly string[] = []) {
  const line = [main, ...command, ...where(server), ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, line, { encoding: 'utf8', timeout: 20_000 })
  return { status, stdout, stderr }
}

/** The processes whose parent is `pid`. */
export function children(pid: number): number[] {
  const listed = execFileSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  const pairs = listed.map((line) => line.trim().split(/ +/).map(Number))
  return pairs.filter(([, parent]) => parent === pid).map(([child]) => child)
}
