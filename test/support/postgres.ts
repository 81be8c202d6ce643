/** A PostgreSQL of a test's own: a cluster in a temporary folder, on a Unix socket there, gone when it is stopped. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { createCluster, postgresBin, postgresLine, unprivileged } from '#dist/torture/processes/engines/postgres.js'
import { signalTree } from '#dist/torture/processes/process-tree.js'
import { requirePeer } from './peers.js'
import { freePorts } from './ports.js'

const startTimeoutMs = 30_000

export { postgresBin }

/** True when PostgreSQL is installed; otherwise the test is skipped, or fails where peers are required. */
export function requirePostgres(t: TestContext): boolean {
  return requirePeer(t, postgresBin ?? '/usr/lib/postgresql', 'apt-get install postgresql')
}

export class Postgres {
  readonly host = '127.0.0.1'
  /** Of TCP, where it listens there; the Unix socket has it in its name. */
  readonly port: number
  readonly #dir: string
  readonly #settings: readonly string[]
  readonly #clients: pg.Client[] = []
  #child!: ChildProcess
  #ended!: Promise<unknown>
  #said = ''

  private constructor(dir: string, port: number, settings: readonly string[]) {
    this.#dir = dir
    this.port = port
    this.#settings = settings
    this.#run()
  }

  /**
   * Guard with `requirePostgres`. Nothing is flushed to the disk: it lives no longer than its test. `tcp`: on a free port of
   * 127.0.0.1, too.
   */
  static async start({ tcp = false, settings = [] }: { tcp?: boolean; settings?: string[] } = {}): Promise<Postgres> {
    const dir = mkdtempSync(join(tmpdir(), 'latchkey-pg-'))
    await createCluster(dir)
    const port = tcp ? (await freePorts(1))[0] : 5432
    const postgres = new Postgres(dir, port, [`listen_addresses=${tcp ? '127.0.0.1' : ''}`, ...settings])
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
    return { PGHOST: this.#dir, PGPORT: `${this.port}`, PGUSER: 'latchkey', PGDATABASE: 'postgres' }
  }

  /** A connection of its own, which ends with the server at the latest. */
  async connect(): Promise<pg.Client> {
    const client = new pg.Client({ host: this.#dir, port: this.port, user: 'latchkey', database: 'postgres' })
    client.on('error', () => {})
    await client.connect()
    this.#clients.push(client)
    return client
  }

  /** A crash, and the start after it. */
  async restart(): Promise<void> {
    this.#child.kill('SIGQUIT')
    await this.#ended
    this.#run()
    await this.#answers()
  }

  /** To every process of it. */
  signalAll(signal: 'SIGSTOP' | 'SIGCONT'): void {
    signalTree(this.#child.pid!, signal)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end().catch(() => {})))
    this.#child.kill('SIGINT')
    await this.#ended
    rmSync(this.#dir, { recursive: true, force: true })
  }

  #run(): void {
    const [program, ...line] = postgresLine(this.#dir, [`port=${this.port}`, ...this.#settings])
    const child = spawn(program, line, { ...unprivileged(), cwd: this.#dir, stdio: ['ignore', 'ignore', 'pipe'] })
    this.#child = child
    // Should the test process end early, the server must not outlive it: SIGQUIT is its immediate shutdown.
    const orphan = () => child.kill('SIGQUIT')
    process.once('exit', orphan)
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text
    })
    this.#ended = new Promise((resolve) => child.once('close', resolve))
    void this.#ended.then(() => process.removeListener('exit', orphan))
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
