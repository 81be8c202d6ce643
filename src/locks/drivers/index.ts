/** The ways of keeping locks: one file each. */
export { type ConsulOptions, consul } from './consul.js'
export { type DynamoDBClient, type DynamoDBOptions, dynamodb } from './dynamodb.js'
export { type EtcdOptions, etcd } from './etcd.js'
export type { Wire } from './memcached/dialect.js'
export { type MemcachedLockOptions, type MemcachedOptions, memcached, memcachedOver } from './memcached.js'
export {
  createPostgresTable,
  type PostgresClient,
  type PostgresLockOptions,
  type PostgresPool,
  postgres,
} from './postgres.js'
export { type PostgresAdvisoryOptions, postgresAdvisory } from './postgres-advisory.js'
export { type QuorumOptions, quorum, quorumOf } from './quorum.js'
export { type IoredisClient, type NodeRedisClient, type RedisClient, type RedisLockOptions, redis } from './redis.js'
export { store } from './store.js'
export { type ZooKeeperOptions, zookeeper } from './zookeeper.js'
