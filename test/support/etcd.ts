/** An etcd of a test's own, of one member or several, with its data in memory where that can be had. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type EtcdPlace, etcdAnswers, etcdArguments } from '#dist/torture/processes/engines/etcd.js'
import { requirePeer } from './peers.js'
import { freePorts } from './ports.js'

const binary = '/usr/bin/etcd'
const startTimeoutMs = 30_000
const memory = '/dev/shm'

/** True when etcd is installed; otherwise the test is skipped, or fails where peers are required. */
export function requireEtcd(t: TestContext): boolean {
  return requirePeer(t, binary, 'apt-get install etcd-server')
}

export class EtcdMember {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly #line: readonly string[]
  readonly #dir: string
  #child: ChildProcess | undefined
  #said = ''
  readonly #orphan = () => this.#child?.kill('SIGKILL')

  constructor(places: readonly EtcdPlace[], i: number, dir: string) {
    this.port = places[i].port
    this.#dir = dir
    this.#line = etcdArguments(places, i, dir)
    process.once('exit', this.#orphan)
  }

  get address(): string {
    return `${this.host}:${this.port}`
  }

  /** Again after `kill`, with what it has on the disk. */
  async start(): Promise<void> {
    this.#child = spawn(binary, this.#line, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text
    })
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

  /** As after a restore of a backup from before everything. */
  forget(): void {
    rmSync(this.#dir, { recursive: true, force: true })
  }

  async answers(): Promise<void> {
    const giveUpAt = performance.now() + startTimeoutMs
    while (!(await etcdAnswers(this.host, this.port))) {
      if (performance.now() > giveUpAt || this.#child?.exitCode != null) throw new Error(`no etcd:\n${this.#said}`)
      await sleep(20)
    }
  }

  async post(path: string, body: object): Promise<Record<string, unknown>> {
    const reply = await fetch(`http://${this.address}${path}`, { method: 'POST', body: JSON.stringify(body) })
    return (await reply.json()) as Record<string, unknown>
  }

  stop(): Promise<void> {
    process.removeListener('exit', this.#orphan)
    return this.kill()
  }
}

export interface EtcdCluster {
  readonly members: readonly EtcdMember[]
  readonly endpoints: readonly string[]
  stop(): Promise<void>
}

/** Guard with `requireEtcd`. */
export async function startEtcd(count = 1): Promise<EtcdCluster> {
  const dir = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'latchkey-etcd-'))
  const ports = await freePorts(2 * count)
  const places = ports.slice(count).map((peerPort, i) => ({ host: '127.0.0.1', port: ports[i], peerPort }))
  const members = places.map((_, i) => new EtcdMember(places, i, join(dir, `m${i}`)))
  const stop = async () => {
    await Promise.all(members.map((member) => member.stop()))
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await Promise.all(members.map((member) => member.start()))
    await Promise.all(members.map((member) => member.answers()))
  } catch (error) {
    await stop()
    throw error
  }
  return { members, endpoints: members.map(({ address }) => address), stop }
}
