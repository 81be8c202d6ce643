/** A ZooKeeper of a test's own, of one server or several, with its data in memory where that can be had. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { said } from '#dist/torture/processes/engines/said.js'
import {
  writeZooKeeperFiles,
  type ZooKeeperPlace,
  zookeeperArguments,
  zookeeperJar,
  zookeeperMode,
} from '#dist/torture/processes/engines/zookeeper.js'
import { requirePeer } from './peers.js'
import { freePorts } from './ports.js'

const java = '/usr/bin/java'
const startTimeoutMs = 30_000
const memory = '/dev/shm'
/** True when ZooKeeper is installed; otherwise the test is skipped, or fails where peers are required. */
export function requireZooKeeper(t: TestContext): boolean {
  return requirePeer(t, zookeeperJar, 'apt-get install zookeeper') && requirePeer(t, java)
}

export class ZooKeeperServer {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly #dir: string
  #child: ChildProcess | undefined
  #said = ''
  readonly #orphan = () => this.#child?.kill('SIGKILL')

  constructor(places: readonly ZooKeeperPlace[], i: number, dir: string) {
    this.port = places[i].port
    this.#dir = dir
    writeZooKeeperFiles(places, i, dir)
    process.once('exit', this.#orphan)
  }

  get address(): string {
    return `${this.host}:${this.port}`
  }

  /** Again after `kill`, with what it has on the disk. */
  start(): void {
    this.#child = spawn(java, zookeeperArguments(this.#dir), { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said += text
      })
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child!.kill(signal)
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await ended
  }

  /** As when the disk is lost. */
  forget(): void {
    rmSync(join(this.#dir, 'data/version-2'), { recursive: true, force: true })
  }

  /** Its mode: `standalone`, `leader` or `follower`. */
  async answers(): Promise<string> {
    const giveUpAt = performance.now() + startTimeoutMs
    for (;;) {
      const mode = await zookeeperMode(this.host, this.port)
      if (mode !== undefined) return mode
      if (performance.now() > giveUpAt || this.#child?.exitCode != null) throw new Error(`no ZooKeeper:\n${this.#said}`)
      await sleep(50)
    }
  }

  async counts(): Promise<{ nodes: number; sessions: number }> {
    const answer = await said(this.host, this.port, 'mntr')
    const count = (name: string) => Number(new RegExp(`${name}\\t(\\d+)`).exec(answer)![1])
    return { nodes: count('zk_ephemerals_count'), sessions: count('zk_global_sessions') }
  }

  stop(): Promise<void> {
    process.removeListener('exit', this.#orphan)
    return this.kill()
  }
}

export interface ZooKeeperEnsemble {
  readonly members: readonly ZooKeeperServer[]
  readonly servers: readonly string[]
  stop(): Promise<void>
}

/** Guard with `requireZooKeeper`. */
export async function startZooKeeper(count = 1): Promise<ZooKeeperEnsemble> {
  const dir = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'latchkey-zookeeper-'))
  const ports = await freePorts(3 * count)
  const places = ports.slice(0, count).map((port, i): ZooKeeperPlace => {
    return { host: '127.0.0.1', port, peerPorts: [ports[count + i], ports[2 * count + i]] }
  })
  const members = places.map((_, i) => new ZooKeeperServer(places, i, join(dir, `${i}`)))
  const stop = async () => {
    await Promise.all(members.map((member) => member.stop()))
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    for (const member of members) member.start()
    await Promise.all(members.map((member) => member.answers()))
  } catch (error) {
    await stop()
    throw error
  }
  return { members, servers: members.map(({ address }) => address), stop }
}
