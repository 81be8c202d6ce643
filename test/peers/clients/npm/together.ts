/**
 * One client of many that work on one server at once: its own keys are as it left them, a counter that all raise loses
 * nothing, and of a lock by add there is one holder.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { isDeepStrictEqual, promisify } from 'node:util'
import { Memcache } from 'memcache'
import Memcached from 'memcached'
import memjs from 'memjs'
import { check, equal, given, keyOf, run } from './checks.js'

/** Made by the test, for all of them. */
const counter = 'together.counter'
const lock = 'together.lock'
const inside = 'together.inside'

interface Client {
  get(key: string): Promise<string | undefined>
  set(key: string, value: string): Promise<boolean>
  add(key: string, value: string): Promise<boolean>
  delete(key: string): Promise<boolean>
  incr(key: string): Promise<number>
  decr(key: string): Promise<number>
}

const server = given.servers[0]

function ofMemjs(): Client {
  const client = memjs.Client.create(server, { timeout: 60 })
  return {
    get: async (key) => (await client.get(key)).value?.toString(),
    set: (key, value) => client.set(key, value, {}),
    add: (key, value) => client.add(key, value, {}),
    delete: (key) => client.delete(key),
    incr: async (key) => (await client.increment(key, 1)).value,
    decr: async (key) => (await client.decrement(key, 1, {})).value,
  }
}

function ofMemcached(): Client {
  const client = new Memcached(server, { poolSize: 1 })
  const bound = <Call extends (...call: never[]) => void>(call: Call) => promisify(call.bind(client)) as never
  const add: (key: string, value: string, lifetime: number) => Promise<boolean> = bound(client.add)
  const set: typeof add = bound(client.set)
  const count = (call: typeof client.incr): ((key: string, by: number) => Promise<number>) => bound(call)
  return {
    get: bound(client.get),
    set: (key, value) => set(key, value, 0),
    // Its NOT_STORED is an error, which resolves to false.
    add: (key, value) => add(key, value, 0).catch((error) => error.notStored !== true && Promise.reject(error)),
    delete: bound(client.del),
    incr: (key) => count(client.incr)(key, 1),
    decr: (key) => count(client.decr)(key, 1),
  }
}

function ofMemcache(): Client {
  const client = new Memcache({ nodes: [server], timeout: 60_000 })
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    add: (key, value) => client.add(key, value),
    delete: (key) => client.delete(key),
    incr: async (key) => (await client.incr(key))!,
    decr: async (key) => (await client.decr(key))!,
  }
}

const names = Array.from({ length: 30 }, (_, i) => keyOf(i))
const lengths = [0, 1, 50, 2_000, 30_000]
const whatToDo = ['set', 'set', 'get', 'get', 'add', 'delete', 'many', 'count', 'lock']
const oneOf = <T>(list: readonly T[]): T => list[randomInt(list.length)]
const text = () => randomBytes(15_000).toString('hex').slice(0, oneOf(lengths))

async function work() {
  const client = { memjs: ofMemjs, memcached: ofMemcached, memcache: ofMemcache }[given.client!]!()
  const model = new Map<string, string>()
  const until = performance.now() + given.seconds! * 1000
  let wrong = ''
  let raised = 0
  while (performance.now() < until && wrong === '') {
    const does = oneOf(whatToDo)
    const name = oneOf(names)
    const good = does === 'count' ? (await client.incr(counter)) > raised++ : await did(client, model, does, name)
    if (!good) wrong = `${does} ${name}`
  }
  equal('what it did came back', wrong, '')
  check('it has kept some, and counted', model.size > 0 && raised > 0)
  console.log(`RAISED ${raised}`)
}

async function did(client: Client, model: Map<string, string>, does: string, name: string): Promise<boolean> {
  const there = model.has(name)
  const value = text()
  switch (does) {
    case 'set':
      model.set(name, value)
      return client.set(name, value)
    case 'add':
      if (!there) model.set(name, value)
      return (await client.add(name, value)) === !there
    case 'get':
      return (await client.get(name)) === model.get(name)
    case 'delete':
      model.delete(name)
      return (await client.delete(name)) === there
    case 'many': {
      const found = await Promise.all(names.map((key) => client.get(key)))
      return isDeepStrictEqual(
        found,
        names.map((key) => model.get(key)),
      )
    }
    default:
      return heldAlone(client)
  }
}

async function heldAlone(client: Client): Promise<boolean> {
  if (!(await client.add(lock, 'mine'))) return true
  const alone = (await client.incr(inside)) === 1 && (await client.decr(inside)) === 0
  await client.delete(lock)
  return alone
}

await run(work)
