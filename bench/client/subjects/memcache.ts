import { Memcache } from 'memcache'
import type { Subject } from './subject.js'

/** Its sockets close after five seconds without traffic, and every client here idles while the others have their turn. */
const timeoutMs = 3_600_000

/** One connection a server, classic text, and text only. */
export async function open(port: number): Promise<Subject> {
  const client = new Memcache({ nodes: [`127.0.0.1:${port}`], timeout: timeoutMs })
  await client.connect()
  return {
    get: (key) => client.get(key),
    valueOf: (reply) => reply as string | undefined,
    set: (key, value) => client.set(key, value as string),
    stored: (reply) => reply === true,
    getMany: (keys) => client.gets(keys),
    valueIn: (reply, key) => (reply as Map<string, string>).get(key),
  }
}
