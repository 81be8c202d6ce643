import Memcached from 'memcached'
import type { Setting, Subject } from './subject.js'

/** It drops connections that were idle for five seconds, and every client here idles while the others have their turn. */
const idleMs = 3_600_000

/**
 * Callbacks, classic text, and text only: its sockets decode UTF-8. It puts more connections than the first into its
 * pool only while none is open yet, and a request that finds the pool still connecting waits a second, so all are opened first.
 */
export async function open(port: number, { connections }: Setting): Promise<Subject> {
  const client = new Memcached(`127.0.0.1:${port}`, { poolSize: connections, idle: idleMs })
  const get = (key: string) => promised<string | undefined>((done) => client.get(key, done))
  await Promise.all(Array.from({ length: connections }, () => get('opening')))
  return {
    get,
    valueOf: (reply) => reply as string | undefined,
    set: (key, value) => promised<boolean>((done) => client.set(key, value, 0, done)),
    stored: (reply) => reply === true,
    getMany: (keys) => promised<Record<string, string>>((done) => client.getMulti(keys, done)),
    valueIn: (reply, key) => (reply as Record<string, string>)[key],
  }
}

function promised<Reply>(call: (done: (error: Error | undefined, reply: Reply) => void) => void): Promise<Reply> {
  return new Promise((resolve, reject) => {
    call((error, reply) => (error === undefined || error === null ? resolve(reply) : reject(error)))
  })
}
