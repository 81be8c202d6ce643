/**
 * Ours on other engines, and on a majority of several servers. With fences only: without them, what is exceeded everywhere is what a
 * lease exceeds on any server, and no engine adds to that.
 */
import type { Algorithm } from '../algorithm.js'
import type { FaultName } from '../faults.js'
import { forgetful } from './promises.js'
import { fencedLock } from './under-lock.js'

/** Our drivers send nothing twice; and of a list of one server there is one order. */
const always: readonly FaultName[] = ['retry']
const oneServer: readonly FaultName[] = [...always, 'lists']
/** What only a cache is used to: to be emptied, and to have its oldest items thrown out. */
const notOfCaches: readonly FaultName[] = ['flush', 'evict', 'full']
/** Whoever deletes the record gives the lock away; fences rise all the same. */
const mayOverlap: readonly FaultName[] = ['foreign']

const on = {
  etcd: fencedLock('etcd', 'an etcd of three members', {
    ...{ home: 'etcd', servers: 3, quorum: true, mayOverlap, without: [...always, ...notOfCaches] },
    // Lives of keys are those of leases, which are their owner's.
    strangers: ['delete'],
  }),
  redis: fencedLock('redis', 'a Redis that writes to disk', {
    ...{ home: 'redis', mayOverlap },
    // One that evicts is no place for locks, as explain() says; `noeviction` is what Redis does by itself.
    without: [...oneServer, 'evict'],
  }),
  zookeeper: fencedLock('zookeeper', 'a ZooKeeper of three servers', {
    ...{ home: 'zookeeper', servers: 3, quorum: true, mayOverlap, without: [...always, ...notOfCaches] },
    strangers: ['delete'],
  }),
  postgres: fencedLock('postgres', 'a table of PostgreSQL', {
    ...{ home: 'postgres', mayOverlap, without: [...oneServer, ...notOfCaches] },
  }),
  dynamodb: fencedLock('dynamodb', 'a table of DynamoDB, played by dynalite', {
    // Nobody who uses it starts it again, and dynalite has everything in memory.
    ...{ home: 'dynamodb', mayOverlap, without: [...oneServer, ...notOfCaches, 'restart'] },
    strangers: ['delete'],
  }),
  quorum: fencedLock('quorum', 'a majority of three Latchkey servers', {
    ...{ home: 'latchkey', servers: 3, quorum: true, mayOverlap, without: always },
  }),
  'quorum-memcached': fencedLock('quorum-memcached', 'a majority of three memcached servers', {
    ...{ home: 'memcached', servers: 3, quorum: true, without: always },
    mayOverlap: [...mayOverlap, ...forgetful],
  }),
} as const satisfies Record<string, Algorithm>

export type TorturedEngine = keyof typeof on

/** By what the command line calls them. */
export const onEngines: Readonly<Record<TorturedEngine, Algorithm>> = on
