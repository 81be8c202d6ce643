/** What the driver suite runs on. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { bytes, type ConnectionDefaults, createClient } from 'latchkey/client'
import { type LockDriver, memcached, quorumOf, store } from 'latchkey/locks'
import { Store } from 'latchkey/store'
import { counterOf } from '#dist/locks/drivers/memcached/fences.js'
import { startClassicServer } from '../../support/classic-server.js'
import { requirePeer } from '../../support/peers.js'
import { startLatchkey, startMemcached } from '../../support/process.js'
import { consulKind } from './consul-kind.js'
import { dynamodbKind } from './dynamodb-kind.js'
import { etcdKind } from './etcd-kind.js'
import { postgresAdvisoryKind, postgresKind } from './postgres-kind.js'
import { redisKinds } from './redis-kinds.js'
import { zookeeperKind } from './zookeeper-kind.js'

/** Somebody else who uses the same keys. */
export interface Stranger {
  set(key: string, value: Uint8Array): Promise<unknown>
  /** Shortens the life of what is there. */
  touch(key: string, ttlMs: number): Promise<unknown>
  delete(key: string): Promise<unknown>
}

export interface Bench {
  /** Addresses of the servers; none for a store. */
  readonly servers: readonly string[]
  readonly stranger: Stranger
  /** The counter that the fences of this key are drawn from, on its server. */
  counter(key: string): { set(value: string): Promise<unknown>; delete(): Promise<unknown> }
  create(): LockDriver
  stop(): Promise<void>
}

export interface DriverKind {
  readonly name: string
  /** The shortest lease that makes sense here. Milliseconds. */
  readonly shortMs: number
  /** Longest that a lease of `shortMs` lasts on the server. */
  readonly overMs: number
  readonly queues: boolean
  /** It answers only after a while, in which things can happen. */
  readonly remote: boolean
  readonly lists: boolean
  /** Can somebody else change the life of what is there? */
  readonly touches: boolean
  readonly registers: boolean
  /** For so long a register that is over may be read still, as clocks may be wrong; none where that is no matter. Milliseconds. */
  readonly registersLateMs?: number
  readonly fences: 'token' | 'counter'
  /** As facts tell it. */
  readonly granularityMs: number
  readonly evicts: boolean | undefined
  /** undefined where a peer is missing, and the test is marked as skipped. */
  start(t: TestContext): Promise<Bench | undefined>
}

interface Started {
  readonly host: string
  readonly port: number
  stop(): Promise<unknown>
}

const latchkeyKind = {
  shortMs: 500,
  overMs: 900,
  remote: true,
  queues: true,
  lists: true,
  touches: true,
  registers: true,
  fences: 'token',
  granularityMs: 0,
  evicts: false,
} as const
const stockKind = {
  shortMs: 2000,
  overMs: 3200,
  remote: true,
  queues: false,
  lists: true,
  touches: true,
  registers: true,
  fences: 'counter',
  granularityMs: 1000,
  evicts: true,
} as const

export const kinds: readonly DriverKind[] = [
  { ...latchkeyKind, name: 'a store', remote: false, start: async () => storeBench() },
  { ...latchkeyKind, name: 'Latchkey, 2 threads', start: () => bench(1, () => startLatchkey({ threads: 2 })) },
  { ...latchkeyKind, name: 'three Latchkeys of 1 thread', start: () => bench(3, () => startLatchkey({ threads: 1 })) },
  { ...stockKind, name: 'memcached', start: (t) => stock(t, 1, []) },
  { ...stockKind, name: 'three memcacheds of 1 thread', start: (t) => stock(t, 3, ['-t', '1']) },
  {
    ...stockKind,
    name: 'memcached, classic protocol',
    start: (t) => stock(t, 1, [], { protocol: 'classic' }),
  },
  {
    ...stockKind,
    name: 'a server without meta commands',
    lists: false,
    evicts: undefined,
    start: () => bench(1, startClassicServer),
  },
  {
    ...latchkeyKind,
    name: 'a quorum of three Latchkeys',
    queues: false,
    registers: false,
    start: (t) => quorumBench(t, 'latchkey'),
  },
  {
    ...stockKind,
    name: 'a quorum of three memcacheds',
    fences: 'token',
    registers: false,
    start: (t) => quorumBench(t, 'memcached'),
  },
  etcdKind,
  ...redisKinds,
  zookeeperKind,
  dynamodbKind,
  postgresKind,
  postgresAdvisoryKind,
  consulKind,
]

/** Every driver has attached to it anew, as another thread would. */
function storeBench(): Bench {
  const shared = new Store({ memory: '16mb' })
  const attached: Store[] = []
  return {
    servers: [],
    stranger: {
      set: async (key, value) => shared.set(key, value),
      touch: async (key, ttlMs) => shared.touch(key, ttlMs),
      delete: async (key) => shared.delete(key),
    },
    counter: () => assert.fail('a store has no counters'),
    create() {
      const own = Store.attach(shared.handle)
      attached.push(own)
      return store(own)
    },
    async stop() {
      for (const own of [...attached, shared]) own.close()
    },
  }
}

async function stock(t: TestContext, count: number, args: string[], options: ConnectionDefaults = {}) {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return undefined
  return bench(count, () => startMemcached(args), options)
}

async function bench(count: number, start: () => Promise<Started>, options: ConnectionDefaults = {}): Promise<Bench> {
  const started = await Promise.all(Array.from({ length: count }, start))
  const servers = started.map(({ host, port }) => `${host}:${port}`)
  const stranger = createClient({ servers, codec: bytes(), deadlineMs: 20_000, ...options })
  return {
    servers,
    stranger,
    counter(key) {
      const session = () => stranger.session(key)
      return {
        set: async (value) => stranger.set(counterOf(key), Buffer.from(value), { session: await session() }),
        delete: async () => stranger.delete(counterOf(key), { session: await session() }),
      }
    },
    create: () => patient(servers, options),
    async stop() {
      await stranger.close()
      for (const server of started) await server.stop()
    },
  }
}

/** The stranger does to every server what it does. */
async function quorumBench(t: TestContext, kind: 'latchkey' | 'memcached'): Promise<Bench | undefined> {
  const start = () => (kind === 'latchkey' ? bench(1, () => startLatchkey({ threads: 1 })) : stock(t, 1, ['-t', '1']))
  const benches = await Promise.all([start(), start(), start()])
  const members = benches.filter((one) => one !== undefined)
  if (members.length < benches.length) return undefined
  const servers = members.flatMap((member) => member.servers)
  const all = (act: (stranger: Stranger) => Promise<unknown>) =>
    Promise.all(members.map(({ stranger }) => act(stranger)))
  return {
    servers,
    stranger: {
      set: (key, value) => all((one) => one.set(key, value)),
      touch: (key, ttlMs) => all((one) => one.touch(key, ttlMs)),
      delete: (key) => all((one) => one.delete(key)),
    },
    counter: () => assert.fail('a quorum has no counters'),
    create: () => quorumOf(servers.map((server) => patient([server]))),
    async stop() {
      for (const member of members) await member.stop()
    },
  }
}

/** A busy machine may take long to connect, which is not what the suite is about. */
function patient(servers: readonly string[], options: ConnectionDefaults = {}): LockDriver {
  const client = createClient({ servers: [...servers], deadlineMs: 20_000, ...options })
  const driver = memcached(client, { freshServers: 'trust' })
  const close = driver.close.bind(driver)
  driver.close = async () => {
    await close()
    await client.close()
  }
  return driver
}
