/** A ZooKeeper of a test's own, of one server or several, with its data in memory where that can be had. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { requirePeer } from './peers.js'
import { freePorts } from './ports.js'

const jar = '/usr/share/java/zookeeper.jar'
const java = '/usr/bin/java'
const startTimeoutMs = 30_000
const memory = '/dev/shm'
/** What counts here is how soon it starts. */
const machine = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dzookeeper.forceSync=no', '-cp', jar]
const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'
const settings = [
  'tickTime=250',
  'initLimit=40',
  'syncLimit=8',
  'minSessionTimeout=500',
  'maxSessionTimeout=60000',
  'maxClientCnxns=0',
  'admin.enableServer=false',
  '4lw.commands.whitelist=srvr,mntr',
]

/** True when ZooKeeper is installed; otherwise the test is skipped, or fails where peers are required. */
export function requireZooKeeper(t: TestContext): boolean {
  return requirePeer(t, jar, 'apt-get install zookeeper') && requirePeer(t, java)
}

export class ZooKeeperServer {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly #dir: string
  #child: ChildProcess | undefined
  #said = ''
  readonly #orphan = () => this.#child?.kill('SIGKILL')

  constructor(port: number, dir: string, number: number, ensemble: readonly string[]) {
    this.port = port
    this.#dir = dir
    mkdirSync(dir, { recursive: true })
    const own = [`dataDir=${join(dir, 'data')}`, `clientPort=${port}`, 'clientPortAddress=127.0.0.1']
    writeFileSync(join(dir, 'zoo.cfg'), [...settings, ...own, ...ensemble, ''].join('\n'))
    mkdirSync(join(dir, 'data'))
    writeFileSync(join(dir, 'data', 'myid'), `${number}`)
    process.once('exit', this.#orphan)
  }

  get address(): string {
    return `${this.host}:${this.port}`
  }

  /** Again after `kill`, with what it has on the disk. */
  start(): void {
    this.#child = spawn(java, [...machine, main, join(this.#dir, 'zoo.cfg')], { stdio: ['ignore', 'pipe', 'pipe'] })
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
      const mode = /Mode: (\w+)/.exec(await this.#say('srvr'))
      if (mode !== null) return mode[1]
      if (performance.now() > giveUpAt || this.#child?.exitCode != null) throw new Error(`no ZooKeeper:\n${this.#said}`)
      await sleep(50)
    }
  }

  async counts(): Promise<{ nodes: number; sessions: number }> {
    const said = await this.#say('mntr')
    const count = (name: string) => Number(new RegExp(`${name}\\t(\\d+)`).exec(said)![1])
    return { nodes: count('zk_ephemerals_count'), sessions: count('zk_global_sessions') }
  }

  stop(): Promise<void> {
    process.removeListener('exit', this.#orphan)
    return this.kill()
  }

  #say(word: string): Promise<string> {
    return new Promise((resolve) => {
      let said = ''
      const socket = connect(this.port, this.host)
      socket.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve(said))
      // One that is just starting may never answer.
      socket.setTimeout(500, () => socket.destroy())
      socket.end(word)
    })
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
  const line = (_: unknown, i: number) => `server.${i + 1}=127.0.0.1:${ports[count + i]}:${ports[2 * count + i]}`
  const ensemble = count === 1 ? [] : Array.from({ length: count }, line)
  const members = ports.slice(0, count).map((port, i) => new ZooKeeperServer(port, join(dir, `${i}`), i + 1, ensemble))
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
