/** The driver suite's Redis, over either of the two clients. */
import type { TestContext } from 'node:test'
import { createClient } from '@redis/client'
import { Redis } from 'ioredis'
import { type RedisClient, redis } from 'latchkey/locks'
import { RedisServer, requireRedis } from '../../support/redis.js'
import type { Bench, DriverKind } from './kinds.js'

const redisKind = {
  shortMs: 500,
  overMs: 900,
  remote: true,
  queues: true,
  lists: true,
  touches: true,
  registers: true,
  fences: 'counter',
  granularityMs: 0,
  evicts: false,
} as const

interface Address {
  readonly host: string
  readonly port: number
}

/** None is connected: the driver makes connections of its own. */
const clients = {
  ioredis: ({ host, port }: Address) => new Redis({ host, port, lazyConnect: true }),
  'node-redis': ({ host, port }: Address) => createClient({ socket: { host, port } }),
}

export const redisKinds: readonly DriverKind[] = Object.entries(clients).map(([name, connect]) => ({
  ...redisKind,
  name: `Redis over ${name}`,
  start: async (t) => (requireRedis(t) ? bench(await RedisServer.start(), connect) : undefined),
}))

export const redisFaultKinds = Object.entries(clients).map(([name, connect]) => ({
  name: `Redis over ${name}`,
  start: async (t: TestContext) => (requireRedis(t) ? RedisServer.start() : undefined),
  create: (address: Address) => redis({ client: connect(address), freshServers: 'trust' }),
}))

function bench(server: RedisServer, connect: (address: Address) => RedisClient): Bench {
  const stranger = server.connect()
  return {
    servers: [`${server.host}:${server.port}`],
    stranger: {
      set: (key, value) => stranger.set(key, Buffer.from(value)),
      touch: (key, ttlMs) => stranger.pexpire(key, ttlMs),
      delete: (key) => stranger.del(key),
    },
    counter: () => ({
      set: (value) => stranger.hset('latchkey:lock-server', 'fence', value),
      delete: () => stranger.hdel('latchkey:lock-server', 'fence'),
    }),
    create: () => redis({ client: connect(server), freshServers: 'trust' }),
    stop: () => server.stop(),
  }
}
