import { bytes, type Client, createClient, text } from 'latchkey/client'
import type { Setting, Subject, Value } from './subject.js'

/** One second by default, which 64 MB on their way may need on a busy machine; the others have as long, or no limit. */
const patienceMs = 10_000

/** One connection, and the codec for the kind of values. */
export async function open(port: number, { values, connections }: Setting): Promise<Subject> {
  const options = { servers: `127.0.0.1:${port}`, connections, deadlineMs: patienceMs, stallMs: patienceMs }
  return values === 'bytes'
    ? adapt(createClient({ ...options, codec: bytes() }))
    : adapt(createClient({ ...options, codec: text() }))
}

function adapt<T extends Value>(client: Client<T>): Subject {
  return {
    get: (key) => client.get(key),
    valueOf: (reply) => reply as T | undefined,
    set: (key, value) => client.set(key, value as T),
    stored: (reply) => reply === true,
    getMany: (keys) => client.getMany(keys),
    valueIn: (reply, key) => (reply as Map<string, T>).get(key),
  }
}
