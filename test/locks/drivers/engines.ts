/** Engines that processes of their own can use, by a name that can be sent to them. */
import type { TestContext } from 'node:test'
import { Redis } from 'ioredis'
import { consul, dynamodb, etcd, type LockDriver, redis, zookeeper } from 'latchkey/locks'
import { startConsul } from '../../support/consul.js'
import { clientOf, startDynamoDB, table } from '../../support/dynamodb.js'
import { requireEtcd, startEtcd } from '../../support/etcd.js'
import { RedisServer, requireRedis } from '../../support/redis.js'
import { requireZooKeeper, startZooKeeper } from '../../support/zookeeper.js'
import { postgresAdvisoryAt, postgresAt, startPostgres } from './postgres-kind.js'

interface Started {
  readonly host: string
  readonly port: number
  stop(): Promise<unknown>
}

const made = {
  consul: {
    make: (endpoints) => consul({ endpoints }),
    start: () => startConsul(),
  },
  dynamodb: {
    make: ([address]) => dynamodb({ client: clientOf(address), table }),
    start: () => startDynamoDB(),
  },
  etcd: {
    make: (endpoints) => etcd({ endpoints }),
    async start(t) {
      if (!requireEtcd(t)) return undefined
      const { members, stop } = await startEtcd()
      return { host: members[0].host, port: members[0].port, stop }
    },
  },
  redis: {
    make: ([address]) =>
      redis({ client: new Redis(`redis://${address}`, { lazyConnect: true }), freshServers: 'trust' }),
    start: async (t) => (requireRedis(t) ? RedisServer.start() : undefined),
  },
  zookeeper: {
    make: (servers) => zookeeper({ servers }),
    async start(t) {
      if (!requireZooKeeper(t)) return undefined
      const { members, stop } = await startZooKeeper()
      return { host: members[0].host, port: members[0].port, stop }
    },
  },
  postgres: {
    make: ([address]) => postgresAt({ host: address.split(':')[0], port: Number(address.split(':')[1]) }),
    start: (t) => startPostgres(t),
  },
  'postgres-advisory': {
    make: ([address]) => postgresAdvisoryAt({ host: address.split(':')[0], port: Number(address.split(':')[1]) }),
    start: (t) => startPostgres(t),
  },
} satisfies Record<
  string,
  { make(servers: readonly string[]): LockDriver; start(t: TestContext): Promise<Started | undefined> }
>

export type Engine = keyof typeof made

export const engines = (Object.keys(made) as Engine[]).map((engine) => ({ engine, start: made[engine].start }))

export function driverOf(engine: Engine, servers: readonly string[]): LockDriver {
  return made[engine].make(servers)
}
