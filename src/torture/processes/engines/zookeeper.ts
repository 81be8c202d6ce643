/** ZooKeeper, as Debian has it. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zookeeper } from '../../../locks/index.js'
import { ownAddress } from '../../faults/fault-proxy.js'
import { freePorts } from '../free-ports.js'
import { nowMs } from '../messages.js'
import type { Program } from '../programs.js'
import { ServerProcess } from '../server-process.js'
import type { Address } from '../wires.js'
import type { Engine } from './engine.js'
import { firstMissing, programNamed } from './installed.js'
import { said } from './said.js'

export const zookeeperJar = '/usr/share/java/zookeeper.jar'
/** What counts here is how soon it starts. */
const machine = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dzookeeper.forceSync=no']
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
const DEADLINE_MS = 5000

/** Where a server listens: for clients, and twice for the others. */
export interface ZooKeeperPlace extends Address {
  readonly peerPorts: readonly [number, number]
}

export const zookeeperEngine: Engine = {
  missing: () =>
    firstMissing({ java: programNamed('java'), [zookeeperJar]: existsSync(zookeeperJar) ? zookeeperJar : undefined }),
  async start(count, estate) {
    const places = await Promise.all(Array.from({ length: count }, placeOf))
    const program = (_: unknown, i: number): Program => ({
      name: 'ZooKeeper',
      prepare: async (_host, _port, directory) => writeZooKeeperFiles(places, i, directory),
      line: (_host, _port, directory) => ['java', ...zookeeperArguments(directory)],
      answers: async (host, port) => (await zookeeperMode(host, port)) !== undefined,
      inMemory: true,
    })
    return ServerProcess.startAll(places.map(program), estate, places)
  },
  connect: async ({ addresses }) => ({ driver: zookeeper({ servers: addresses }), async close() {} }),
  strangers: { delete: release },
}

/** Of the server `i` of an ensemble of those. */
export function writeZooKeeperFiles(places: readonly ZooKeeperPlace[], i: number, directory: string): void {
  const { host, port } = places[i]
  const data = join(directory, 'data')
  const own = [`dataDir=${data}`, `clientPort=${port}`, `clientPortAddress=${host}`]
  const ensemble = places.length === 1 ? [] : places.map((each, n) => `server.${n + 1}=${addressOf(each)}`)
  mkdirSync(data, { recursive: true })
  writeFileSync(join(data, 'myid'), `${i + 1}`)
  writeFileSync(join(directory, 'zoo.cfg'), [...settings, ...own, ...ensemble, ''].join('\n'))
}

/** Of Java. */
export function zookeeperArguments(directory: string): string[] {
  return [...machine, '-cp', zookeeperJar, main, join(directory, 'zoo.cfg')]
}

/** `standalone`, `leader` or `follower`; undefined: it takes nobody in yet. */
export async function zookeeperMode(host: string, port: number): Promise<string | undefined> {
  return /Mode: (\w+)/.exec(await said(host, port, 'srvr'))?.[1]
}

/** As `latchkey locks release` does. */
async function release(key: string, { host, port }: Address): Promise<void> {
  const driver = zookeeper({ servers: `${host}:${port}` })
  const call = { clock: { now: nowMs }, deadlineMs: DEADLINE_MS }
  try {
    const found = await driver.find(key, call)
    if (found !== undefined) await driver.release(key, found.version, call)
  } finally {
    await driver.close()
  }
}

function addressOf({ host, peerPorts }: ZooKeeperPlace): string {
  return [host, ...peerPorts].join(':')
}

async function placeOf(): Promise<ZooKeeperPlace> {
  const host = ownAddress()
  const [port, ...[one, other]] = await freePorts(3, host)
  return { host, port, peerPorts: [one, other] }
}
