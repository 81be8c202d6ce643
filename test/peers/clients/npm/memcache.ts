/** memcache (the npm package): the text protocol, and a binary one of its own doing on a server's connection. */
import { Memcache, type MemcacheNode, ModulaHash } from 'memcache'
import { check, endOfSecond, equal, given, items, keyOf, rejects, run } from './checks.js'

const open = (nodes: string[], options = {}) =>
  new Memcache({ nodes, timeout: 20_000, maxValueSize: 1 << 24, ...options })
const client = open(given.servers.slice(0, 1))

async function storage() {
  for (const value of ['some text 日本', '', '\r\nEND\r\n']) {
    equal(`set ${JSON.stringify(value)}`, await client.set(keyOf('v'), value), true)
    equal(`get ${JSON.stringify(value)}`, await client.get(keyOf('v')), value)
  }
  equal('get: a miss', await client.get(keyOf('none')), undefined)
  equal('add', [await client.add(keyOf('v'), 'x'), await client.add(keyOf('w'), 'x')], [false, true])
  equal('replace', [await client.replace(keyOf('w'), 'y'), await client.replace(keyOf('none'), 'y')], [true, false])
  equal('append', [await client.append(keyOf('w'), 'z'), await client.append(keyOf('none'), 'z')], [true, false])
  equal('prepend', [await client.prepend(keyOf('w'), 'x'), await client.get(keyOf('w'))], [true, 'xyz'])
  equal('delete', [await client.delete(keyOf('w')), await client.delete(keyOf('w'))], [true, false])
  const longest = keyOf('').padEnd(250, 'k')
  equal('a key of 250 bytes', [await client.set(longest, 'v'), await client.get(longest)], [true, 'v'])
  await rejects('a key of 251 bytes', () => client.get(`${longest}k`), /250/)
  await rejects('a key with a space', () => client.get('a b'), /space/i)
}

async function tokensAndCounters() {
  await client.set(keyOf('c'), 'one')
  const line = String(await client.nodes[0].command(`mg ${keyOf('c')} c`))
  const token = /^HD c(\d+)$/.exec(line)?.[1] ?? line
  equal('cas', [await client.cas(keyOf('c'), 'two', token), await client.get(keyOf('c'))], [true, 'two'])
  equal(
    'cas: an old token',
    [await client.cas(keyOf('c'), 'three', token), await client.get(keyOf('c'))],
    [false, 'two'],
  )
  await client.set(keyOf('n'), '10')
  equal('incr and decr', [await client.incr(keyOf('n'), 5), await client.decr(keyOf('n'), 6)], [15, 9])
  equal('decr stops at 0', await client.decr(keyOf('n'), 100), 0)
  equal('incr: a miss', await client.incr(keyOf('none')), undefined)
  const rises = await Promise.all(Array.from({ length: 200 }, () => client.incr(keyOf('n'))))
  equal('two hundred incr at once', new Set(rises).size, 200)
}

async function sizes() {
  const big = 'x'.repeat(1_047_000)
  equal('almost 1 MiB', [await client.set(keyOf('big'), big), (await client.get(keyOf('big'))) === big], [true, true])
  equal('too large', await client.set(keyOf('big'), 'x'.repeat((1 << 20) + 1)), false)
  equal('a set that is too large leaves no old value', await client.get(keyOf('big')), undefined)
}

async function timesToLive() {
  const ends = { one: 1, long: 60, touched: 1 }
  for (const [name, seconds] of Object.entries(ends)) await client.set(keyOf(name), name, seconds)
  equal('touch', [await client.touch(keyOf('touched'), 60), await client.touch(keyOf('none'), 60)], [true, false])
  await endOfSecond()
  const left = await client.gets(Object.keys(ends).map(keyOf))
  equal('over after its TTL, and not before', [...left.values()], ['long', 'touched'])
}

async function severalServers() {
  const all = items(300)
  const keys = [...all.keys()]
  // Its ketama may put keys that differ in their last digits only on one server.
  for (const [name, options, least] of [
    ['ketama', {}, 0],
    ['modula', { hash: new ModulaHash() }, 20],
  ] as const) {
    const shared = open(given.servers, options)
    for (const [key, value] of all) await shared.set(key, value)
    equal(`${name}: gets`, new Map([...(await shared.gets(keys))].sort()), new Map([...all].sort()))
    const shares = await Promise.all(given.servers.map(async (server) => (await open([server]).gets(keys)).size))
    check(`${name}: each key on one`, shares.reduce((a, b) => a + b) === 300 && Math.min(...shares) >= least, shares)
    for (const key of keys) await shared.delete(key)
    equal(`${name}: deleted`, (await shared.gets(keys)).size, 0)
  }
}

async function aboutTheServer() {
  const [stats] = (await client.stats()).values()
  equal('stats: -m', stats.limit_maxbytes, `${given.megabytes << 20}`)
  check('stats settings', Number([...(await client.stats('settings')).values()][0].maxconns) > 0)
  check('version', /1\.6\./.test([...(await client.version()).values()][0]), await client.version())
  const emptied = open([given.emptied])
  await emptied.set(keyOf('gone'), 'v')
  equal('flush', [await emptied.flush(), await emptied.get(keyOf('gone'))], [true, undefined])
}

/** The binary protocol of its connections is meant for those that log in by SASL; it works without, too. */
async function binary() {
  const [node]: MemcacheNode[] = open(given.servers.slice(0, 1)).nodes
  await node.connect()
  const [key, counter] = [keyOf('binary'), keyOf('binary n')]
  equal('binary: set', [await node.binarySet(key, 'v', 60, 7), await node.binaryGet(key)], [true, 'v'])
  equal('binary: a miss', await node.binaryGet(keyOf('none')), undefined)
  equal('binary: add', [await node.binaryAdd(key, 'x'), await node.binaryReplace(key, 'w')], [false, true])
  equal(
    'binary: append, prepend',
    [await node.binaryAppend(key, '>'), await node.binaryPrepend(key, '<')],
    [true, true],
  )
  equal('binary: the value', await node.binaryGet(key), '<w>')
  equal('binary: incr', [await node.binaryIncr(counter, 1, 7), await node.binaryIncr(counter, 3)], [7, 10])
  equal('binary: decr', await node.binaryDecr(counter, 100), 0)
  equal('binary: touch', [await node.binaryTouch(key, 60), await node.binaryTouch(keyOf('none'), 60)], [true, false])
  equal('binary: delete', [await node.binaryDelete(key), await node.binaryGet(key)], [true, undefined])
  check('binary: version', String(await node.binaryVersion()).startsWith('1.6.'))
  check('binary: stats', Number((await node.binaryStats()).pid) > 0)
  await node.binaryQuit()
}

const text = [storage, tokensAndCounters, sizes, timesToLive, severalServers, aboutTheServer]
await run(...(given.binary ? [binary] : text))
