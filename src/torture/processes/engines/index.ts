/** The engines: one file each. */
import type { EngineName } from '../../homes.js'
import { dynamodbEngine } from './dynamodb.js'
import type { Engine } from './engine.js'
import { etcdEngine } from './etcd.js'
import { postgresEngine } from './postgres.js'
import { redisEngine } from './redis.js'
import { zookeeperEngine } from './zookeeper.js'

export const engines: Readonly<Record<EngineName, Engine>> = {
  etcd: etcdEngine,
  redis: redisEngine,
  zookeeper: zookeeperEngine,
  postgres: postgresEngine,
  dynamodb: dynamodbEngine,
}
