/** A server as a process of its own, that can be stopped, killed, and started again where it was. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ownAddress } from '../faults/fault-proxy.js'
import { LaboratoryError } from './errors.js'
import type { Estate } from './estate.js'
import { lasting } from './lasting.js'
import { hasEnded, signalTree } from './process-tree.js'
import { PORT_FILE, type Program } from './programs.js'
import type { Address } from './wires.js'

const START_MS = 20_000
const LOOK_MS = 5

export class ServerProcess {
  /** Of its own, so that nobody is given its port while it is down. */
  readonly host: string
  #port: number
  #child: ChildProcess | undefined
  #closed = false
  readonly #program: Program
  readonly #estate: Estate
  readonly #directory: string

  private constructor(program: Program, estate: Estate, { host, port }: Address) {
    this.#program = program
    this.#estate = estate
    this.host = host
    this.#port = port
    this.#directory = estate.makeDirectory(program.inMemory)
  }

  /** Resolves when it listens. Rejects with LaboratoryError. `at`: default any port of an address of its own. */
  static async start(
    program: Program,
    estate: Estate,
    at: Address = { host: ownAddress(), port: 0 },
  ): Promise<ServerProcess> {
    const server = new ServerProcess(program, estate, at)
    try {
      await program.prepare?.(server.host, server.port, server.#directory)
      await server.#start()
      return server
    } catch (error) {
      // Also when it has ended: why, is told already.
      await server.close().catch(() => {})
      throw error
    }
  }

  /** One of each, all or none. */
  static async startAll(
    programs: readonly Program[],
    estate: Estate,
    at: readonly Address[] = [],
  ): Promise<ServerProcess[]> {
    const starting = programs.map((program, i) => ServerProcess.start(program, estate, at[i]))
    const settled = await Promise.allSettled(starting)
    const failed = settled.find((each) => each.status === 'rejected')
    const started = settled.filter((each) => each.status === 'fulfilled').map((each) => each.value)
    if (failed === undefined) return started
    await Promise.all(started.map((server) => server.close()))
    throw failed.reason
  }

  get port(): number {
    return this.#port
  }

  get alive(): boolean {
    const child = this.#child
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null
  }

  /** Stopped for so long. Milliseconds. */
  async pause(ms: number): Promise<void> {
    this.#signal('SIGSTOP')
    await lasting(ms)
    this.resume()
  }

  resume(): void {
    this.#signal('SIGCONT')
  }

  /** Killed, and started again on the same port, after `downMs`. */
  async restart(downMs: number): Promise<void> {
    await this.#kill()
    await lasting(downMs)
    if (!this.#closed) await this.#start()
  }

  /** Rejects with LaboratoryError when it had ended by itself. */
  async close(): Promise<void> {
    this.#closed = true
    try {
      await this.#kill()
    } finally {
      this.#estate.removeDirectory(this.#directory)
    }
  }

  #signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.alive) signalTree(this.#child!.pid!, signal)
  }

  async #kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    // Without a pid there never was a process.
    if (child?.pid === undefined) return
    const how = child.exitCode ?? child.signalCode
    if (how !== null) throw new LaboratoryError(`${this.#program.name} has ended by itself, with ${how}`)
    const ended = once(child, 'exit')
    const killed = signalTree(child.pid, 'SIGKILL')
    await ended
    // What they share is free for the next one only then.
    while (!killed.every(hasEnded)) await sleep(LOOK_MS)
  }

  async #start(): Promise<void> {
    const { line, env, user } = this.#program
    const [command, ...rest] = line(this.host, this.#port, this.#directory)
    rmSync(join(this.#directory, PORT_FILE), { force: true })
    const child = spawn(command, rest, {
      ...user,
      cwd: this.#directory,
      detached: true,
      env: { ...process.env, ...env?.(this.#directory) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    this.#estate.adopt(child)
    await this.#untilListening(child)
  }

  async #untilListening(child: ChildProcess): Promise<void> {
    let said = ''
    let failed: Error | undefined
    child.once('error', (error) => {
      failed = error
    })
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-2000)
      })
    }
    const until = performance.now() + START_MS
    while (!(await this.#listens(said))) {
      if (this.#closed) return
      const why = failed?.message ?? (child.exitCode !== null || child.signalCode !== null ? 'it ended' : undefined)
      if (why !== undefined || performance.now() > until) {
        throw new LaboratoryError(`${this.#program.name} does not listen: ${why ?? 'too late'}. ${said}`)
      }
      await sleep(LOOK_MS)
    }
  }

  async #listens(said: string): Promise<boolean> {
    const { port: find, answers = accepts } = this.#program
    const port = find === undefined ? this.#port : find(said, this.#directory)
    if (port === undefined || !(await answers(this.host, port))) return false
    this.#port = port
    return true
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    socket.once('connect', () => resolve(true))
    socket.once('connect', () => socket.destroy())
    socket.once('error', () => resolve(false))
  })
}
