/** A server as a process of its own, that can be stopped, killed, and started again where it was. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ownAddress } from '../faults/fault-proxy.js'
import type { FaultName } from '../faults.js'
import { LaboratoryError } from './errors.js'
import type { Estate } from './estate.js'
import { lasting } from './lasting.js'

const START_MS = 20_000
const LOOK_MS = 5

/** How to start one. `port` 0: any that is free. */
export interface Program {
  readonly name: string
  line(host: string, port: number, directory: string): readonly string[]
  readonly env?: (directory: string) => Record<string, string>
  /** undefined: not known yet. */
  port(said: string, directory: string): number | undefined
}

/** Items in MiB; small, so that it is soon full. */
const MEMORY_MIB = 2

export function latchkeyProgram(evicts: boolean, maxLeaseMs: number): Program {
  return {
    name: 'latchkey serve',
    line: (host, port, directory) => [
      ...[process.execPath, packagePath('latchkey'), 'serve', '-l', host, '-p', `${port}`, '-t', '2'],
      ...['-m', `${MEMORY_MIB}`, '--state-dir', directory, '--max-lease', `${Math.ceil(maxLeaseMs / 1000)}`],
      ...(evicts ? [] : ['-M']),
    ],
    port: (said) => numberIn(said, /listening on \S*:(\d+)/),
  }
}

const PORT_FILE = 'port'

export function memcachedProgram(fault: FaultName): Program {
  return {
    name: 'memcached',
    line: (host, port, _directory) => [
      ...['memcached', '-u', 'root', '-l', host, '-p', port === 0 ? '-1' : `${port}`, '-U', '0', '-t', '2'],
      ...['-m', `${MEMORY_MIB}`, ...memoryOptions(fault)],
    ],
    env: (directory) => ({ MEMCACHED_PORT_FILENAME: join(directory, PORT_FILE) }),
    port(_said, directory) {
      const file = join(directory, PORT_FILE)
      return existsSync(file) ? numberIn(readFileSync(file, 'utf8'), /TCP INET: (\d+)/) : undefined
    },
  }
}

/** By itself it keeps what is asked for again and again, such as a lock that others wait for: what is oldest goes without that. */
function memoryOptions(fault: FaultName): string[] {
  if (fault === 'full') return ['-M']
  return fault === 'evict' ? ['-o', 'no_lru_maintainer'] : []
}

export class ServerProcess {
  /** Of its own, so that nobody is given its port while it is down. */
  readonly host = ownAddress()
  #port = 0
  #child: ChildProcess | undefined
  #closed = false
  readonly #program: Program
  readonly #estate: Estate
  readonly #directory: string

  private constructor(program: Program, estate: Estate) {
    this.#program = program
    this.#estate = estate
    this.#directory = estate.makeDirectory()
  }

  /** Resolves when it listens. Rejects with LaboratoryError. */
  static async start(program: Program, estate: Estate): Promise<ServerProcess> {
    const server = new ServerProcess(program, estate)
    try {
      await server.#start()
      return server
    } catch (error) {
      // Also when it has ended: why, is told already.
      await server.close().catch(() => {})
      throw error
    }
  }

  get port(): number {
    return this.#port
  }

  /** Stopped for so long. Milliseconds. */
  async pause(ms: number): Promise<void> {
    this.#child?.kill('SIGSTOP')
    await lasting(ms)
    this.resume()
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
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

  async #kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    // Without a pid there never was a process.
    if (child?.pid === undefined) return
    const how = child.exitCode ?? child.signalCode
    if (how !== null) throw new LaboratoryError(`${this.#program.name} has ended by itself, with ${how}`)
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  async #start(): Promise<void> {
    const { line, env } = this.#program
    const [command, ...rest] = line(this.host, this.#port, this.#directory)
    rmSync(join(this.#directory, PORT_FILE), { force: true })
    const child = spawn(command, rest, {
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
    const port = this.#program.port(said, this.#directory)
    if (port === undefined || !(await accepts(this.host, port))) return false
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

function numberIn(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text)
  return found === null ? undefined : Number(found[1])
}

/** Our own program, as the package names it: to run it is not to import it. */
function packagePath(bin: string): string {
  const root = new URL('../../../package.json', import.meta.url)
  const { bin: programs } = JSON.parse(readFileSync(root, 'utf8'))
  return fileURLToPath(new URL(programs[bin], root))
}
