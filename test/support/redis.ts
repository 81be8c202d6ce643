/** Debian's redis-server, on a free port of 127.0.0.1, with its data in a temporary folder. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { redisArguments } from '#dist/torture/processes/engines/redis.js'
import { requirePeer } from './peers.js'
import { freePorts } from './ports.js'

const program = '/usr/bin/redis-server'
const startTimeoutMs = 15_000

export function requireRedis(t: TestContext): boolean {
  return requirePeer(t, program, 'apt-get install redis-server')
}

export class RedisServer {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly #args: readonly string[]
  readonly #dir = mkdtempSync(join(tmpdir(), 'latchkey-redis-'))
  readonly #clients: Redis[] = []
  #child: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()

  private constructor(port: number, args: readonly string[]) {
    this.port = port
    this.#args = args
  }

  /** Guard with `requireRedis`. Nothing is written to the disk unless `args` say so. */
  static async start(args: readonly string[] = []): Promise<RedisServer> {
    // It takes no port 0: another may take this one in between, and then it is tried again.
    for (let tries = 0; ; tries++) {
      const server = new RedisServer((await freePorts(1))[0], args)
      try {
        await server.restart()
        return server
      } catch (error) {
        await server.stop()
        if (tries === 3) throw error
      }
    }
  }

  get address(): string {
    return `redis://${this.host}:${this.port}`
  }

  get pid(): number {
    return this.#child!.pid!
  }

  /** A client, which ends with the server at the latest. */
  connect(): Redis {
    const client = new Redis(this.port, this.host, { lazyConnect: true })
    client.on('error', () => {})
    this.#clients.push(client)
    return client
  }

  /** Kills it, if it runs, and starts it anew on the same port and data. */
  async restart(): Promise<void> {
    await this.kill()
    const line = redisArguments(this.host, this.port, this.#dir, this.#args)
    const child = spawn(program, line, { stdio: 'ignore' })
    this.#child = child
    this.#ended = new Promise((resolve) => child.once('close', resolve))
    // Should the test process end early, the server must not outlive it.
    const orphan = () => child.kill('SIGKILL')
    process.once('exit', orphan)
    child.once('close', () => process.removeListener('exit', orphan))
    await this.#answers(child)
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.disconnect()
    await this.kill()
    rmSync(this.#dir, { recursive: true, force: true })
  }

  async #answers(child: ChildProcess): Promise<void> {
    const probe = new Redis(this.port, this.host, { retryStrategy: () => 20, maxRetriesPerRequest: null })
    probe.on('error', () => {})
    const giveUpAt = performance.now() + startTimeoutMs
    try {
      for (;;) {
        const info = await Promise.race([probe.info('server'), sleep(100, '')])
        // Not one that somebody else has put there.
        if (info.includes(`process_id:${child.pid}\r\n`)) return
        if (child.exitCode !== null || performance.now() > giveUpAt) throw new Error('redis-server does not start')
      }
    } finally {
      probe.disconnect()
    }
  }
}
