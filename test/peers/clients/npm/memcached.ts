/** memcached (the npm package), which speaks the text protocol. */
import Memcached from 'memcached'
import { check, endOfSecond, equal, given, items, keyOf, rejects, run } from './checks.js'

type Done<Reply> = (error: Error | undefined, reply: Reply) => void

const open = (servers: string | string[], options = {}) =>
  new Memcached(servers, { poolSize: 4, timeout: 20_000, maxValue: 1 << 24, ...options })
const client = open(given.servers[0])

/** Its errors are those of the call, or of several servers a list. */
function asked<Reply>(call: (done: Done<Reply>) => void): Promise<Reply> {
  return new Promise((resolve, reject) => {
    call((error, reply) => (error ? reject(error) : resolve(reply)))
  })
}

const get = (key: string, from = client) => asked<unknown>((done) => from.get(key, done))
const set = (key: string, value: unknown, lifetime = 0, into = client) =>
  asked<boolean>((done) => into.set(key, value, lifetime, done))

async function storage() {
  for (const value of ['some text 日本', '', 41, 1.5, { k: [1, 'é', null] }, true, Buffer.from([0, 13, 10, 255])]) {
    equal(`set ${JSON.stringify(value)}`, await set(keyOf('v'), value), true)
    equal(`get ${JSON.stringify(value)}`, await get(keyOf('v')), value)
  }
  equal('get: a miss', await get(keyOf('none')), undefined)
  await rejects('add: there', () => asked((done) => client.add(keyOf('v'), 'x', 0, done)), /not stored/)
  equal('add: not there', await asked((done) => client.add(keyOf('w'), 'x', 0, done)), true)
  equal('replace: there', await asked((done) => client.replace(keyOf('w'), 'y', 0, done)), true)
  await rejects('replace: not there', () => asked((done) => client.replace(keyOf('none'), 'x', 0, done)), /not stored/)
  equal('append', await asked((done) => client.append(keyOf('w'), 'z', done)), true)
  equal('prepend', await asked((done) => client.prepend(keyOf('w'), 'x', done)), true)
  equal('append and prepend: the value', await get(keyOf('w')), 'xyz')
  equal('delete', await asked((done) => client.del(keyOf('w'), done)), true)
  equal('delete: not there', await asked((done) => client.del(keyOf('w'), done)), false)
  const longest = keyOf('').padEnd(250, 'k')
  equal('a key of 250 bytes', [await set(longest, 'v'), await get(longest)], [true, 'v'])
  equal('a longer key, which it hashes', [await set(`${longest}k`, 'w'), await get(`${longest}k`)], [true, 'w'])
}

async function tokens() {
  await set(keyOf('c'), 'one')
  const cas = (token: string, value: string) => asked((done) => client.cas(keyOf('c'), value, token, 0, done))
  const found = await asked<Record<string, string>>((done) => client.gets(keyOf('c'), done))
  equal('gets', [found[keyOf('c')], /^\d+$/.test(found.cas)], ['one', true])
  equal('cas', [await cas(found.cas, 'two'), await get(keyOf('c'))], [true, 'two'])
  equal('cas: an old token', [await cas(found.cas, 'three'), await get(keyOf('c'))], [false, 'two'])
}

async function counters() {
  const incr = (name: string, by: number) => asked((done) => client.incr(keyOf(name), by, done))
  await set(keyOf('n'), 10)
  equal('incr', await incr('n', 5), 15)
  equal('decr', await asked((done) => client.decr(keyOf('n'), 6, done)), 9)
  equal('decr stops at 0', await asked((done) => client.decr(keyOf('n'), 100, done)), 0)
  equal('incr: a miss', await incr('none', 1), false)
  await set(keyOf('word'), 'abc')
  await rejects('incr: no number', () => incr('word', 1), /non-numeric/)
  equal('get after an error', await get(keyOf('word')), 'abc')
  const rises = await Promise.all(Array.from({ length: 200 }, () => incr('n', 1)))
  equal('two hundred incr at once, on four connections', new Set(rises).size, 200)
}

async function sizes() {
  const big = 'x'.repeat(1_047_000)
  await set(keyOf('big'), big)
  equal('almost 1 MiB', await get(keyOf('big')), big)
  // It takes any SERVER_ERROR for an issue of the connection, and closes that.
  const one = open(given.servers[0], { poolSize: 1, failures: 100, retry: 1 })
  equal('too large', await set(keyOf('big'), 'x'.repeat((1 << 20) + 1), 0, one), false)
  equal('a set that is too large leaves no old value', await get(keyOf('big')), undefined)
}

async function timesToLive() {
  const ends = { one: 1, date: Math.floor(Date.now() / 1000) + 1, negative: -1, long: 60, touched: 1 }
  for (const [name, seconds] of Object.entries(ends)) await set(keyOf(name), name, seconds)
  equal('touch', await asked((done) => client.touch(keyOf('touched'), 60, done)), true)
  equal('touch: not there', await asked((done) => client.touch(keyOf('none'), 60, done)), false)
  await endOfSecond()
  const left = await asked((done) => client.getMulti(Object.keys(ends).map(keyOf), done))
  equal('over after its TTL, and not before', left, { [keyOf('long')]: 'long', [keyOf('touched')]: 'touched' })
}

async function severalServers() {
  const all = items(300)
  const shared = open(given.servers)
  for (const [key, value] of all) await set(key, value, 0, shared)
  const keys = [...all.keys()]
  const found = await asked<Record<string, string>>((done) => shared.getMulti([...keys, keyOf('none')], done))
  equal('three servers: getMulti', found, Object.fromEntries(all))
  const counts = given.servers.map((server) =>
    asked<Record<string, string>>((done) => open(server).getMulti(keys, done)).then((had) => Object.keys(had).length),
  )
  const shares = await Promise.all(counts)
  check('three servers: each key on one', shares.reduce((a, b) => a + b) === 300 && Math.min(...shares) > 20, shares)
  const spaced = open(given.servers, { namespace: keyOf('space.') })
  await set('a', 1, 0, spaced)
  equal('a namespace', await asked((done) => spaced.getMulti(['a'], done)), { a: 1 })
  const stats = await asked<Record<string, unknown>[]>((done) => shared.stats(done))
  check('stats of three', stats.length === 3 && stats.every(({ pid, version }) => Number(pid) > 0 && version), stats)
  const settings = await asked<Record<string, unknown>[]>((done) => shared.settings(done))
  equal(
    'settings: -m',
    settings.map(({ maxbytes }) => maxbytes),
    given.servers.map(() => given.megabytes << 20),
  )
  check('slabs', (await asked<object[]>((done) => client.slabs(done))).length === 1)
  const [{ server: _, ...classes }] = await asked<{ server: string }[]>((done) => client.items(done))
  const first = Number(Object.keys(classes)[0])
  const dumped = await asked<unknown>((done) => client.cachedump(given.servers[0], first, 1, done))
  check('items, cachedump', dumped === undefined || /^\S+$/.test((dumped as { key: string }).key), dumped)
  // It parses what comes last of the version only: three numbers.
  const [version] = await asked<{ version: string }[]>((done) => client.version(done))
  check('version', /^\d+\.\d+\.\d+$/.test(version.version), version)
}

async function oneServerDown() {
  // What it has for this, `remove`, loses all servers; without, the keys of the others go on.
  const impatient = { timeout: 1_000, retries: 1, minTimeout: 1, failures: 0 }
  const shared = open([given.servers[0], given.servers[1], given.down], impatient)
  const stored: string[] = []
  for (const key of items(60).keys()) if (await set(key, 'down', 0, shared).catch(() => false)) stored.push(key)
  check('one of three down: the keys of two are stored', stored.length > 10 && stored.length < 60, stored.length)
  const found = await Promise.all(stored.map((key) => get(key, shared)))
  equal('one of three down: and found', new Set(found), new Set(['down']))
}

async function flush() {
  const emptied = open(given.emptied)
  await set(keyOf('gone'), 'v', 0, emptied)
  equal('flush', await asked((done) => emptied.flush(done)), [true])
  equal('flush: gone', await get(keyOf('gone'), emptied), undefined)
}

await run(storage, tokens, counters, sizes, timesToLive, severalServers, oneServerDown, flush)
