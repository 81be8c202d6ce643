import { MemcacheClient } from 'memcache-client'
import type { Setting, Subject } from './subject.js'

/** Classic text protocol. Bytes or text, as was stored; neither is always the faster. */
export async function open(port: number, { connections }: Setting): Promise<Subject> {
  const client = new MemcacheClient({
    server: { server: `127.0.0.1:${port}`, maxConnections: connections },
    noDelay: true, // its documentation: decreases latency
    lifetime: 0, // 60 seconds by default
    cmdTimeout: 60_000,
  })
  await client.version()
  return {
    get: (key) => client.get(key),
    valueOf: (reply) => (reply as Found | undefined)?.value,
    set: (key, value) => client.set(key, value as string | Buffer),
    stored: (reply) => (reply as string[])[0] === 'STORED',
    getMany: (keys) => client.get(keys),
    valueIn: (reply, key) => (reply as Record<string, Found | undefined>)[key]?.value,
  }
}

interface Found {
  value: Buffer
}
