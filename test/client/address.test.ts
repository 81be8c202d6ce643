import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseServers } from '#dist/client/address.js'
import { InvalidArgumentError } from '#dist/client/errors.js'
import type { Server } from '#dist/client/types.js'

const tcp = (host: string, port: number, name: string, weight = 1) => ({ host, port, weight, name })
const unix = (path: string, weight = 1) => ({ path, weight, name: path })

test('every form of one server', () => {
  const forms: [Server | undefined, object][] = [
    [undefined, tcp('127.0.0.1', 11211, '127.0.0.1:11211')],
    ['cache-1.example.org', tcp('cache-1.example.org', 11211, 'cache-1.example.org:11211')],
    ['cache_1:1', tcp('cache_1', 1, 'cache_1:1')],
    ['10.0.0.1:65535', tcp('10.0.0.1', 65535, '10.0.0.1:65535')],
    ['::1', tcp('::1', 11211, '[::1]:11211')],
    ['[::1]', tcp('::1', 11211, '[::1]:11211')],
    ['[fe80::1%eth0]:11212', tcp('fe80::1%eth0', 11212, '[fe80::1%eth0]:11212')],
    ['/run/memcached.sock', unix('/run/memcached.sock')],
    ['/run/with:colon and space', unix('/run/with:colon and space')],
    ['unix:/run/a', unix('/run/a')],
    ['unix:///run/a', unix('/run/a')],
    [{ host: 'a' }, tcp('a', 11211, 'a:11211')],
    [{ host: '[::1]', port: 5, weight: 7 }, tcp('::1', 5, '[::1]:5', 7)],
    [{ path: 'relative.sock', weight: 2 }, unix('relative.sock', 2)],
    [{ path: '/a,b' }, unix('/a,b')],
  ]
  for (const [server, address] of forms) assert.deepEqual(parseServers(server), [address], String(server))
})

test('several servers keep their order', () => {
  const names = (servers: Server | readonly Server[]) => parseServers(servers).map((address) => address.name)
  assert.deepEqual(names('b, a:2 ,/c'), ['b:11211', 'a:2', '/c'])
  assert.deepEqual(names(['b,a', { host: 'c', weight: 3 }, '/d']), ['b:11211', 'a:11211', 'c:11211', '/d'])
})

test('what is no list of servers', () => {
  const port = (port: unknown) => ({ host: 'a', port })
  const weight = (weight: unknown) => ({ host: 'a', weight })
  const wrong: unknown[] = [
    ...['', ' ', ',', 'a,', 'a b', 'a:', ':1', 'a:0', 'a:65536', 'a:+1', 'a:1e3', 'a:x', 'a:1:2', 'http://a', 'a/b'],
    ...['[::1', '::1]', '[a]', '[::1]:', '[::1]x', '[::1]:0', '[]', 'unix:', 'unix:a', 'memcached://a:1', 'a\0', 'u@a'],
    ...[[], null, 5, true, [undefined], ['a', null], [['a']], {}, { host: 'a', path: '/a' }, { host: 5 }, { host: '' }],
    ...[{ host: 'a:1' }, { path: '' }, { path: 5 }, { path: '/a\0b' }, { path: `/${'x'.repeat(107)}` }],
    ...[0, 65536, 1.5, -1, '11211', Number.NaN, null].map(port),
    ...[0, 1.5, -1, '1', Number.POSITIVE_INFINITY, null, 2 ** 32].map(weight),
    ...['a,a', 'a,a:11211', 'A,a', ['a', { host: 'a', weight: 2 }], '/a,unix:/a', '::1,[::1]'],
  ]
  for (const servers of wrong)
    assert.throws(() => parseServers(servers as Server), InvalidArgumentError, JSON.stringify(servers))
})

test('names that only look the same are two servers', () => {
  assert.equal(parseServers('/a,/A,a,a:1').length, 4)
  assert.equal(parseServers({ path: `/${'x'.repeat(106)}` }).length, 1)
})

test('messages name what is wrong', () => {
  assert.throws(() => parseServers('good,bad:0'), { code: 'INVALID_ARGUMENT', message: /'good,bad:0'.*1 to 65535/ })
  assert.throws(() => parseServers('a:11211:5'), { message: /use 'host', 'host:port'/ })
  assert.throws(() => parseServers(['a', 'b', 'a']), { message: /a:11211 is named twice/ })
})
