/** etcd, for the driver suite. */
import assert from 'node:assert/strict'
import { type EtcdOptions, etcd } from 'latchkey/locks'
import { type EtcdMember, requireEtcd, startEtcd } from '../../support/etcd.js'
import type { DriverKind, Stranger } from './kinds.js'

const base64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64')

export const etcdKind: DriverKind = {
  name: 'etcd',
  // It grants no less than two seconds, and looks for what is over twice a second.
  shortMs: 1900,
  overMs: 3300,
  remote: true,
  queues: true,
  lists: true,
  touches: false,
  registers: true,
  fences: 'token',
  granularityMs: 0,
  evicts: false,
  async start(t) {
    if (!requireEtcd(t)) return undefined
    const cluster = await startEtcd()
    const options: EtcdOptions = { endpoints: cluster.endpoints }
    return {
      servers: cluster.endpoints,
      stranger: strangerOf(cluster.members[0]),
      counter: () => assert.fail('etcd has no counters'),
      create: () => etcd(options),
      stop: cluster.stop,
    }
  },
}

/** Over what the holder has there; where there is none, under the lock's own key. */
function strangerOf(member: EtcdMember): Stranger {
  const all = (key: string) => ({ key: base64(key), range_end: base64(`${key}!`) })
  return {
    async set(key, value) {
      const first = { ...all(key), sort_target: 'CREATE', sort_order: 'ASCEND', limit: 1 }
      const { kvs = [] } = (await member.post('/v3/kv/range', first)) as { kvs?: { key: string }[] }
      await member.post('/v3/kv/put', { key: kvs[0]?.key ?? base64(key), value: base64(value) })
    },
    touch: () => assert.fail('lives cannot be changed from outside'),
    delete: (key) => member.post('/v3/kv/deleterange', all(key)),
  }
}
