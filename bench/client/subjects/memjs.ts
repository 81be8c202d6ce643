import memjs, { type Client } from 'memjs'
import type { Subject } from './subject.js'

/** Half a second by default, which a busy machine may need for one run. */
const timeoutSeconds = 10

/** One connection, binary protocol, Buffers. It has no call for many keys: as many `get`s at once are its best. */
export async function open(port: number): Promise<Subject> {
  const client = memjs.Client.create(`127.0.0.1:${port}`, { timeout: timeoutSeconds })
  return {
    get: (key) => client.get(key),
    valueOf: (reply) => (reply as { value: Buffer | null }).value,
    set: (key, value) => client.set(key, value, { expires: 0 }),
    stored: (reply) => reply === true,
    getMany: (keys) => manyGets(client, keys),
    valueIn: (reply, key) => (reply as Map<string, Buffer | null>).get(key),
  }
}

async function manyGets(client: Client, keys: string[]): Promise<Map<string, Buffer | null>> {
  const found = new Map<string, Buffer | null>()
  const replies = await Promise.all(keys.map((key) => client.get(key)))
  replies.forEach(({ value }, at) => {
    found.set(keys[at], value)
  })
  return found
}
