/** Debian's PgBouncer before a PostgreSQL of a test's own, lending a connection out for a transaction at a time. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { eventually } from './eventually.js'
import { requirePeer } from './peers.js'
import { freePorts } from './ports.js'

const program = '/usr/sbin/pgbouncer'

export function requirePgBouncer(t: TestContext): boolean {
  return requirePeer(t, program, 'apt-get install pgbouncer')
}

/** Guard with `requirePgBouncer`. With two connections to the server, for however many clients. */
export async function startPgBouncer(server: { port: number }) {
  const dir = mkdtempSync(join(tmpdir(), 'latchkey-pgbouncer-'))
  const [port] = await freePorts(1)
  const file = join(dir, 'pgbouncer.ini')
  const target = `postgres = host=127.0.0.1 port=${server.port} user=latchkey`
  const listen = `listen_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =\nauth_type = any`
  writeFileSync(
    file,
    `[databases]\n${target}\n[pgbouncer]\n${listen}\npool_mode = transaction\ndefault_pool_size = 2\n`,
  )
  // It refuses to run as root.
  chmodSync(dir, 0o755)
  const line = process.getuid?.() === 0 ? ['-u', 'postgres', file] : [file]
  const child = spawn(program, ['-q', ...line], { stdio: 'ignore' })
  const orphan = () => child.kill('SIGKILL')
  process.once('exit', orphan)
  await eventually('PgBouncer listens', () => accepts(port))
  return {
    host: '127.0.0.1',
    port,
    async stop(): Promise<void> {
      process.removeListener('exit', orphan)
      child.kill('SIGKILL')
      await once(child, 'close')
      rmSync(dir, { recursive: true })
    },
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const answer = once(socket, 'connect').then(
    () => true,
    () => false,
  )
  return answer.finally(() => socket.destroy())
}
