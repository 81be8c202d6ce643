/** Consul, for the driver suite: a model of it. */
import assert from 'node:assert/strict'
import { consul } from 'latchkey/locks'
import { type ConsulServer, startConsul } from '../../support/consul.js'
import type { DriverKind, Stranger } from './kinds.js'

export const consulKind: DriverKind = {
  name: 'Consul',
  shortMs: 1000,
  // A session may last up to twice as long.
  overMs: 2000,
  remote: true,
  queues: false,
  lists: true,
  touches: false,
  registers: true,
  registersLateMs: 60_000,
  fences: 'token',
  granularityMs: 0,
  evicts: false,
  async start() {
    const server = await startConsul()
    return {
      servers: [server.address],
      stranger: strangerOf(server),
      counter: () => assert.fail('Consul has no counters'),
      create: () => consul({ endpoints: server.address }),
      stop: server.stop,
    }
  },
}

function strangerOf(server: ConsulServer): Stranger {
  const act = (KV: object) => server.put('/v1/txn', [{ KV }])
  return {
    set: (Key, value) => act({ Verb: 'set', Key, Value: Buffer.from(value).toString('base64') }),
    touch: () => assert.fail('lives cannot be changed from outside'),
    delete: (Key) => act({ Verb: 'delete', Key }),
  }
}
