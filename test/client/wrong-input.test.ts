/** What no server would take is refused before a byte is sent. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Client, createClient, InvalidArgumentError, type Key } from 'latchkey/client'
import { eventually } from '../support/eventually.js'
import { type ScriptedServer, startScriptedServer } from '../support/scripted-server.js'

let server: ScriptedServer
let client: Client<string>

before(async () => {
  server = await startScriptedServer([])
  client = createClient({ servers: `${server.host}:${server.port}` })
})

after(async () => {
  await client.close()
  await server.stop()
})

/** For what the types rule out: JavaScript callers have none. */
// biome-ignore lint/suspicious/noExplicitAny: that is the point
const as = (value: unknown): any => value

const keys: Record<string, unknown> = {
  'no key': undefined,
  'null as key': null,
  'a number as key': 5,
  'an object as key': {},
  'an array as key': ['k'],
  'an empty key': '',
  'an empty key of bytes': new Uint8Array(0),
  'a key with a space': 'a b',
  'a key with a newline': 'a\r\nflush_all',
  'a key with a zero byte': 'a\0b',
  'a key with a control character': 'a\x7f',
  'a key of 251 bytes': 'k'.repeat(251),
  'a key of 251 bytes in UTF-8': `${'é'.repeat(125)}k`,
  'a key of bytes too long for base64': Buffer.alloc(187, ' '),
  'a key with half a surrogate pair': 'k\ud800',
}

const keyed: Record<string, (key: Key) => Promise<unknown>> = {
  get: (key) => client.get(key),
  gets: (key) => client.gets(key),
  gat: (key) => client.gat(key, '1m'),
  getMany: (key) => client.getMany(['good', key, 'fine']),
  set: (key) => client.set(key, 'v'),
  add: (key) => client.add(key, 'v'),
  replace: (key) => client.replace(key, 'v'),
  append: (key) => client.append(key, 'v'),
  prepend: (key) => client.prepend(key, 'v'),
  cas: (key) => client.cas(key, 'v', 1n),
  incr: (key) => client.incr(key),
  decr: (key) => client.decr(key),
  delete: (key) => client.delete(key),
  touch: (key) => client.touch(key, '1m'),
  update: (key) => client.update(key, () => 'v'),
  fetch: (key) => client.fetch(key, '1m', () => 'v'),
  meta: (key) => client.meta('mg', key),
  'set without reply': (key) => client.set(key, 'v', { noreply: true }),
}

const calls: Record<string, () => Promise<unknown>> = {
  'a ttl with an unknown unit': () => client.set('k', 'v', { ttl: '5 parsecs' }),
  'a negative ttl': () => client.set('k', 'v', { ttl: -1 }),
  'a ttl that is no number': () => client.set('k', 'v', { ttl: Number.NaN }),
  'a ttl that is no date': () => client.set('k', 'v', { ttl: new Date('never') }),
  'a ttl beyond 2038': () => client.set('k', 'v', { ttl: new Date('2150-01-01') }),
  'a ttl that is an object': () => client.set('k', 'v', { ttl: as({}) }),
  'a ttl of touch': () => client.touch('k', as('soon')),
  'a ttl of gat': () => client.gat('k', as('soon')),
  'a ttl of add': () => client.add('k', 'v', { ttl: 'soon' }),
  'a ttl of cas': () => client.cas('k', 'v', 1n, { ttl: 'soon' }),
  'a ttl of incr': () => client.incr('k', 1, { initial: 1, ttl: 'soon' }),
  'a ttl of update': () => client.update('k', () => 'v', { ttl: 'soon' }),
  'a ttl of fetch': () => client.fetch('k', 'soon', () => 'v'),
  'a stale time of fetch': () => client.fetch('k', '1m', () => 'v', { stale: 'soon' }),
  'a lease of fetch': () => client.fetch('k', '1m', () => 'v', { lease: 'soon' }),
  'a lease that never ends': () => client.fetch('k', '1m', () => 'v', { lease: Number.POSITIVE_INFINITY }),
  'a negative delta': () => client.incr('k', -1),
  'a delta with a fraction': () => client.incr('k', 1.5),
  'a delta beyond what numbers tell apart': () => client.incr('k', 2 ** 60),
  'a delta of 2^64': () => client.decr('k', 2n ** 64n),
  'a delta that is text': () => client.incr('k', as('1')),
  'a negative initial': () => client.incr('k', 1, { initial: -1n }),
  'a token that is a number with a fraction': () => client.cas('k', 'v', as(1.5)),
  'a token that is negative': () => client.cas('k', 'v', -1n),
  'a token of 2^64': () => client.cas('k', 'v', 2n ** 64n),
  'no token': () => client.cas('k', 'v', as(undefined)),
  'a token of delete': () => client.delete('k', { cas: -1n }),
  'a negative deadline': () => client.get('k', { deadlineMs: -1 }),
  'a deadline that is no number': () => client.get('k', { deadlineMs: Number.NaN }),
  'a deadline that is text': () => client.get('k', { deadlineMs: as('1s') }),
  'a deadline of getMany': () => client.getMany(['k'], { deadlineMs: -1 }),
  'a deadline of update': () => client.update('k', () => 'v', { deadlineMs: -1 }),
  'a deadline of fetch': () => client.fetch('k', '1m', () => 'v', { deadlineMs: -1 }),
  'a deadline of version': () => client.version({ deadlineMs: -1 }),
  'a signal that is none': () => client.get('k', { signal: as({}) }),
  'a signal of fetch that is none': () => client.fetch('k', '1m', () => 'v', { signal: as({}) }),
  'an unknown policy': () => client.get('k', { policy: as('hope') }),
  'the policy gutter without spare servers': () => client.get('k', { policy: 'gutter' }),
  'an unknown meta command': () => client.meta(as('mx'), 'k'),
  'the meta no-op, which has no key': () => client.meta(as('mn'), 'k'),
  'a meta command with a newline': () => client.meta(as('mg k\r\nflush_all\r\nmg'), 'k'),
  'a meta flag with a space': () => client.meta('mg', 'k', ['v f']),
  'a meta flag with a newline': () => client.meta('mg', 'k', ['v\r\nflush_all']),
  'an empty meta flag': () => client.meta('mg', 'k', ['']),
  'the quiet flag': () => client.meta('mg', 'k', ['q']),
  'an opaque of the caller': () => client.meta('mg', 'k', ['O1']),
  'ms without a value': () => client.meta('ms', 'k'),
  'mg with a value': () => client.meta('mg', 'k', [], 'v'),
  'a group of statistics with a newline': () => client.stats('items\r\nflush_all'),
  'a delay of flush': () => client.flush({ delay: 'soon' }),
  'no list of keys': () => client.getMany(as(undefined)),
  'text in place of a list of keys': () => client.getMany('abc'),
  'a ttl in place of options': () => client.set('k', 'v', as(60)),
  "another client's options": () => client.set('k', 'v', as({ expires: 60 })),
  'a policy where only fail is right': () => client.incr('k', 1, as({ policy: 'miss' })),
  'a policy of add': () => client.add('k', 'v', as({ policy: 'gutter' })),
  'a lease that would be a moment': () => client.fetch('k', '1m', () => 'v', { lease: '31d' }),
  'a stale time without end': () => client.fetch('k', '1m', () => 'v', { stale: Number.POSITIVE_INFINITY }),
  'a delay that would be a moment': () => client.flush({ delay: '31d' }),
  'a meta flag of no such form': () => client.meta('ms', 'k', ['Tsoon'], 'v'),
  'a meta flag of another command': () => client.meta('ms', 'k', ['v'], 'v'),
  'a meta flag twice': () => client.meta('mg', 'k', ['v', 'v']),
  'memory as such': () => client.meta('ms', 'k', [], as(new ArrayBuffer(5000))),
  'wide elements': () => client.meta('ms', 'k', [], as(new Uint16Array(10))),
}

/** It is a rejection, not something thrown at the caller's own line. */
async function refused(call: () => Promise<unknown>, name: string): Promise<void> {
  await assert.rejects(
    call(),
    (error) => error instanceof InvalidArgumentError && error.code === 'INVALID_ARGUMENT',
    name,
  )
}

for (const [keyName, key] of Object.entries(keys))
  test(keyName, async () => {
    for (const [name, call] of Object.entries(keyed)) await refused(() => call(as(key)), `${name} takes ${keyName}`)
    assert.throws(() => client.serverOf(as(key)), InvalidArgumentError)
  })

for (const [name, call] of Object.entries(calls)) test(name, () => refused(call, name))

const options: Record<string, unknown> = {
  'an unknown option': { server: 'localhost' },
  'an empty list of servers': { servers: [] },
  'a server twice': { servers: ['localhost:1', 'localhost:1'] },
  'a port that is none': { servers: 'localhost:99999' },
  'an object that is no server': { servers: {} },
  'a weight that is none': { servers: { host: 'localhost', weight: 0 } },
  'a negative deadline': { deadlineMs: -1 },
  'a ttl that is none': { ttl: 'soon' },
  'no connections': { connections: 0 },
  'half a connection': { connections: 0.5 },
  'no pending requests': { maxPending: 0 },
  'an unknown whenDown': { whenDown: 'hope' },
  'a gutter without servers': { gutter: { ttl: '1s' } },
  'an unknown option of the gutter': { gutter: { servers: 'localhost:1', life: 1 } },
  'a codec that is none': { codec: 'json' },
  'TLS that is neither on nor options': { tls: 'no' },
  'an unknown option of reconnect': { reconnect: { min: 5 } },
  'what every object has': { toString: 1 },
  'a stall beyond what timers can wait': { stallMs: 2 ** 31 },
  'an endless deadline': { deadlineMs: Number.POSITIVE_INFINITY },
  'a pause that shrinks': { reconnect: { minMs: 100, maxMs: 50 } },
  'no pause': { reconnect: { minMs: 0 } },
  'no stall': { stallMs: 0 },
  'an unknown policy': { policy: 'hope' },
  'the policy gutter without spare servers': { policy: 'gutter' },
  'a gutter whose items never end': { gutter: { servers: 'localhost', ttl: 0 } },
  'an unknown protocol': { protocol: 'binary' },
  'a user without a password': { username: 'somebody' },
  'a password without a user': { password: 'word' },
  'a user with a space': { username: 'some body', password: 'word' },
  'an unknown distribution': { distribution: 'dice' },
  'a prefix with a space': { keyPrefix: 'a b' },
  'a prefix with a newline': { keyPrefix: 'a\r\n' },
  'a prefix that is no text': { keyPrefix: 5 },
  'a prefix that leaves no room for a key': { keyPrefix: 'k'.repeat(250) },
}

for (const [name, given] of Object.entries(options))
  test(`createClient: ${name}`, () => {
    assert.throws(() => createClient(as(given)), InvalidArgumentError)
  })

for (const name of ['an unknown option', 'a negative deadline', 'a ttl that is none', 'a prefix with a space'])
  test(`with: ${name}`, () => {
    assert.throws(() => client.with(as(options[name])), InvalidArgumentError)
  })

test('and all that time nobody was called', () => {
  assert.equal(server.accepted(), 0)
  assert.equal(server.received(), '')
})

test('a call that is right does call', async () => {
  const unanswered = assert.rejects(client.get('k', { deadlineMs: 500 }))
  await eventually('a call', async () => server.received().startsWith('version\r\n'))
  await unanswered
})
