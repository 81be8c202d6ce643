/** SASL, which memjs and memcache know. */
import { createNode, type MemcacheNode } from 'memcache'
import memjs from 'memjs'
import { check, equal, given, items, keyOf, rejects, run } from './checks.js'

const { server, user, password } = given.login
const silent = { log: () => {} }

async function ofMemjs() {
  const open = (username: string, secret: string) =>
    memjs.Client.create(server, { username, password: secret, timeout: 20, retries: 1, logger: silent })
  const client = open(user, password)
  const all = [...items(200)]
  await Promise.all(all.map(([key, value]) => client.set(key, value, {})))
  const found = await Promise.all(all.map(([key]) => client.get(key)))
  check(
    'memjs: many',
    found.every(({ value }, i) => String(value) === all[i][1]),
  )
  await rejects('memjs: a wrong password', () => open(user, `x${password}`).set(keyOf('a'), 'v', {}), /authentication/i)
  equal('memjs: a wrong password stores nothing', (await client.get(keyOf('a'))).value, null)
}

async function ofMemcache() {
  const [host, port] = server.split(':')
  const open = (secret: string): MemcacheNode =>
    createNode(host, Number(port), { timeout: 20_000, sasl: { username: user, password: secret } })
  const node = open(password)
  await node.connect()
  const big = 'text '.repeat(200_000)
  equal('memcache: set', await node.binarySet(keyOf('b'), big), true)
  check('memcache: get', (await node.binaryGet(keyOf('b'))) === big)
  await rejects('memcache: a wrong password', () => open(`x${password}`).connect(), /authentication/i)
  await node.binaryQuit()
}

await run(ofMemjs, ofMemcache)
