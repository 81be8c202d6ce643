/** memjs, which speaks nothing but the binary protocol. */
import memjs from 'memjs'
import { check, endOfSecond, equal, given, items, keyOf, rejects, run } from './checks.js'

const timeoutSeconds = 20
const silent = { log: () => {} }
const open = (servers: string[], options = {}) =>
  memjs.Client.create(servers.join(','), { timeout: timeoutSeconds, logger: silent, ...options })
const client = open(given.servers.slice(0, 1))
const text = async (key: string) => (await client.get(key)).value?.toString() ?? null

async function storage() {
  for (const value of ['some text 日本', '', '\r\nEND\r\n']) {
    equal(`set ${JSON.stringify(value)}`, await client.set(keyOf('v'), value, {}), true)
    equal(`get ${JSON.stringify(value)}`, await text(keyOf('v')), value)
  }
  const everyByte = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
  await client.set(keyOf('v'), everyByte, {})
  const got = await client.get(keyOf('v'))
  check('every byte', got.value!.equals(everyByte) && got.flags!.equals(Buffer.alloc(4)), got)
  equal('get: a miss', await client.get(keyOf('none')), { value: null, flags: null })
  equal('add: there', await client.add(keyOf('v'), 'x', {}), false)
  equal('add: not there', await client.add(keyOf('w'), 'x', {}), true)
  equal('replace: there', await client.replace(keyOf('w'), 'y', {}), true)
  equal('replace: not there', await client.replace(keyOf('none'), 'y', {}), false)
  equal('append', [await client.append(keyOf('w'), 'z'), await text(keyOf('w'))], [true, 'yz'])
  // Its prepend sends the opcode of append: only that it succeeds can be seen.
  equal('prepend', await client.prepend(keyOf('w'), 'x'), true)
  await rejects('append: not there', () => client.append(keyOf('none'), 'x'), /Item not stored/)
  equal('delete', [await client.delete(keyOf('w')), await client.delete(keyOf('w'))], [true, false])
  await client.set(keyOf('ключ 日本'), 'v', {})
  equal('a key with a space and of Unicode', await text(keyOf('ключ 日本')), 'v')
}

async function counters() {
  equal('increment: begins', await client.increment(keyOf('n'), 5, { initial: 10 }), { success: true, value: 10 })
  equal('increment', await client.increment(keyOf('n'), 5), { success: true, value: 15 })
  equal('decrement', await client.decrement(keyOf('n'), 6, {}), { success: true, value: 9 })
  equal('decrement stops at 0', await client.decrement(keyOf('n'), 100, {}), { success: true, value: 0 })
  await client.set(keyOf('word'), 'abc', {})
  await rejects('increment: no number', () => client.increment(keyOf('word'), 1), /non-numeric/)
  equal('get after an error', await text(keyOf('word')), 'abc')
  const rises = await Promise.all(
    Array.from({ length: 200 }, () => client.increment(keyOf('rises'), 1, { initial: 1 })),
  )
  equal('two hundred increments at once', new Set(rises.map(({ value }) => value)).size, 200)
}

async function sizes() {
  const big = Buffer.alloc(1_047_000, 'binary ✓')
  await client.set(keyOf('big'), big, {})
  check('almost 1 MiB', (await client.get(keyOf('big'))).value!.equals(big))
  await rejects('too large', () => client.set(keyOf('big'), Buffer.alloc((1 << 20) + 1), {}), /Value too large/)
  equal('a set that is too large leaves no old value', await text(keyOf('big')), null)
  const longest = keyOf('').padEnd(250, 'k')
  await client.set(longest, 'v', {})
  equal('a key of 250 bytes', await text(longest), 'v')
}

async function timesToLive() {
  const ends = { one: 1, date: Math.floor(Date.now() / 1000) + 1, long: 60, touched: 1 }
  for (const [name, expires] of Object.entries(ends)) await client.set(keyOf(name), name, { expires })
  equal('touch', [await client.touch(keyOf('touched'), 60), await client.touch(keyOf('none'), 60)], [true, false])
  await endOfSecond()
  const left = await Promise.all(Object.keys(ends).map((name) => text(keyOf(name))))
  equal('over after its TTL, and not before', left, [null, null, 'long', 'touched'])
}

async function severalServers() {
  const all = items(300)
  const shared = open(given.servers)
  await Promise.all([...all].map(([key, value]) => shared.set(key, value, {})))
  const found = await Promise.all([...all.keys()].map((key) => shared.get(key)))
  equal(
    'three servers: found again',
    found.map(({ value }) => String(value)),
    [...all.values()],
  )
  const shares = await Promise.all(given.servers.map((server) => countOn(open([server]), [...all.keys()])))
  check('three servers: each key on one', shares.reduce((a, b) => a + b) === 300 && Math.min(...shares) > 20, shares)
  const failing = open([given.servers[0], given.down], { failover: true, failoverTime: 600, retries: 1 })
  const stored = await Promise.all([...all.keys()].slice(0, 40).map((key) => failing.set(key, 'v', {})))
  equal('one of two down: the other takes over', new Set(stored), new Set([true]))
}

async function countOn(server: typeof client, keys: string[]): Promise<number> {
  const replies = await Promise.all(keys.map((key) => server.get(key)))
  return replies.filter(({ value }) => value !== null).length
}

async function aboutTheServer() {
  const stats = await new Promise<Record<string, string>>((resolve, reject) => {
    client.stats((error, _, found) => (error ? reject(error) : resolve(found)))
  })
  equal('stats: -m', stats.limit_maxbytes, `${given.megabytes << 20}`)
  check('stats', Number(stats.pid) > 0 && Number(stats.get_hits) > 0 && stats.version.startsWith('1.6.'), stats)
  const emptied = open([given.emptied])
  await emptied.set(keyOf('gone'), 'v', {})
  equal('flush', [await emptied.flush(), (await emptied.get(keyOf('gone'))).value], [{ [given.emptied]: true }, null])
  client.quit()
}

await run(storage, counters, sizes, timesToLive, severalServers, aboutTheServer)
