/** A PostgreSQL of a test's own: a cluster in a temporary folder, on a Unix socket there, gone when it is stopped. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { requirePeer } from './peers.js'

const versions = '/usr/lib/postgresql'
const startTimeoutMs = 30_000

/** Where Debian puts the newest PostgreSQL that is installed; undefined for none. */
export const postgresBin = newestBin()

/** True when PostgreSQL is installed; otherwise the test is skipped, or fails where peers are required. */
export function requirePostgres(t: TestContext): boolean {
  return requirePeer(t, postgresBin ?? versions, 'apt-get install postgresql')
}

export class Postgres {
  readonly #dir: string
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #orphan: () => void
  readonly #clients: pg.Client[] = []
  #said = ''

  private constructor(dir: string, child: ChildProcess) {
    this.#dir = dir
    this.#child = child
    this.#ended = new Promise((resolve) => child.once('close', resolve))
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text
    })
    // Should the test process end early, the server must not outlive it: SIGQUIT is its immediate shutdown.
    this.#orphan = () => child.kill('SIGQUIT')
    process.once('exit', this.#orphan)
  }

  /** Guard with `requirePostgres`. Nothing is flushed to the disk: it lives no longer than its test. */
  static async start(): Promise<Postgres> {
    const dir = mkdtempSync(join(tmpdir(), 'latchkey-pg-'))
    const postgres = new Postgres(dir, startIn(dir))
    try {
      await postgres.#answers()
    } catch (error) {
      await postgres.stop()
      throw error
    }
    return postgres
  }

  /** What a program finds it by, that is left to node-postgres' defaults. */
  get environment(): Record<string, string> {
    return { PGHOST: this.#dir, PGPORT: '5432', PGUSER: 'latchkey', PGDATABASE: 'postgres' }
  }

  /** A connection of its own, which ends with the server at the latest. */
  async connect(): Promise<pg.Client> {
    const client = new pg.Client({ host: this.#dir, port: 5432, user: 'latchkey', database: 'postgres' })
    await client.connect()
    this.#clients.push(client)
    return client
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end().catch(() => {})))
    this.#child.kill('SIGINT')
    await this.#ended
    process.removeListener('exit', this.#orphan)
    rmSync(this.#dir, { recursive: true, force: true })
  }

  async #answers(): Promise<void> {
    const giveUpAt = performance.now() + startTimeoutMs
    for (;;) {
      const error = await this.connect().then(() => undefined, String)
      if (error === undefined) return
      if (this.#child.exitCode !== null || performance.now() > giveUpAt) {
        throw new Error(`PostgreSQL does not start: ${error}\n${this.#said}`)
      }
      await sleep(20)
    }
  }
}

function startIn(dir: string): ChildProcess {
  const who = unprivileged()
  if (who.uid !== undefined) chownSync(dir, who.uid, who.gid!)
  const data = join(dir, 'data')
  const layout = ['-D', data, '-U', 'latchkey', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  execFileSync(join(postgresBin!, 'initdb'), layout, { ...who, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] })
  const settings = ['fsync=off', 'listen_addresses=', `unix_socket_directories=${dir}`]
  const line = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]
  return spawn(join(postgresBin!, 'postgres'), line, { ...who, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] })
}

function newestBin(): string | undefined {
  if (!existsSync(versions)) return undefined
  const newest = readdirSync(versions)
    .map((version) => join(versions, version, 'bin'))
    .filter((bin) => existsSync(join(bin, 'postgres')))
  return newest.sort((one, other) => one.localeCompare(other, 'en', { numeric: true })).at(-1)
}

/** PostgreSQL refuses to run as root; its package has made a user for it. */
function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const id = (option: string) => Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
