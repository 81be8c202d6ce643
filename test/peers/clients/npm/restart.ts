/** A server that stops and starts again while its clients stay: memjs, memcached, memcache. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Memcache } from 'memcache'
import Memcached from 'memcached'
import memjs from 'memjs'
import { equal, given, keyOf, run } from './checks.js'

interface Client {
  set(key: string): Promise<boolean>
  get(key: string): Promise<unknown>
}

const [server] = given.servers

function ofMemjs(): Client {
  const client = memjs.Client.create(server, { timeout: 20, retries: 1, logger: { log: () => {} } })
  return { set: (key) => client.set(key, 'v', {}), get: async (key) => (await client.get(key)).value ?? undefined }
}

function ofMemcached(): Client {
  const client = new Memcached(server, { timeout: 1_000, retries: 1, minTimeout: 1, failures: 1_000, retry: 100 })
  const set: (key: string, value: string, lifetime: number) => Promise<unknown> = promisify(client.set.bind(client))
  return { set: async (key) => (await set(key, 'v', 0)) === true, get: promisify(client.get.bind(client)) }
}

function ofMemcache(): Client {
  const client = new Memcache({ nodes: [server], timeout: 20_000 })
  return { set: (key) => client.set(key, 'v'), get: (key) => client.get(key) }
}

const clients = Object.entries({ memjs: ofMemjs(), memcached: ofMemcached(), memcache: ofMemcache() })
/** What a client makes of a server that is not there is its own: it rejects, or resolves to false. */
const stored = (client: Client, name: string) => client.set(keyOf(name)).catch(() => false)

async function restart() {
  for (const [name, client] of clients) equal(`${name}: before`, await stored(client, name), true)
  await askFor('stop')
  for (const [name, client] of clients) equal(`${name}: while it is down`, await stored(client, name), false)
  await askFor('start')
  for (const [name, client] of clients) {
    equal(`${name}: again`, await storedInTime(client), true)
    equal(`${name}: nothing is left of before`, await client.get(keyOf(name)), undefined)
  }
}

async function storedInTime(client: Client): Promise<boolean> {
  for (let tries = 0; tries < 600; tries++) {
    if (await stored(client, 'again')) return true
    await sleep(100)
  }
  return false
}

async function askFor(what: string): Promise<void> {
  console.log(what)
  await once(process.stdin, 'data')
}

await run(restart)
