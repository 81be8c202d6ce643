/** Wrong input is refused before anything is sent, and never ends a process or a connection. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  bytes,
  type Client,
  type ClientOptions,
  CodecError,
  ConnectionLostError,
  compressed,
  createClient,
  InvalidArgumentError,
  ServerUnavailableError,
  text,
} from 'latchkey/client'
import { type ServerProcess, startLatchkey } from '../support/process.js'

let server: ServerProcess
let cache: Client<string>
before(async () => {
  server = await startLatchkey({ threads: 1 })
  cache = createClient({ servers: `127.0.0.1:${server.port}` })
})
after(async () => {
  await cache.close()
  await server.stop()
})

/** As a program without types would call it. */
// biome-ignore lint/suspicious/noExplicitAny: that is the point
const untyped = (): any => cache

test('options of the client', () => {
  const wrong: unknown[] = [
    { gutter: { ttl: '1s' } },
    { gutter: { servers: 'b', life: 1 } },
    { policy: 'gutter' },
    { policy: 'luck' },
    { keyPrefix: 'a b' },
    { keyPrefix: 5 },
    { keyPrefix: 'k'.repeat(250) },
    { codec: 'json' },
    { tls: 'no' },
    { reconnect: { min: 5 } },
    { reconnect: { minMs: 100, maxMs: 10 } },
    { toString: 1 },
    { timeout: 5 },
    { stallMs: 2 ** 31 },
    { deadlineMs: -1 },
    { deadlineMs: '5' },
    { deadlineMs: Number.POSITIVE_INFINITY },
    { connections: 0 },
    { maxPending: 1.5 },
    { whenDown: 'hope' },
    { protocol: 'binary' },
    { username: 'a' },
    { username: 'a b', password: 'c' },
    { distribution: 'modulo' },
    { ttl: 'soon' },
    { servers: [] },
    'host:1',
    null,
  ]
  for (const options of wrong) {
    assert.throws(() => createClient(options as ClientOptions<string>), InvalidArgumentError, JSON.stringify(options))
  }
  const config: ClientOptions<string> = { reconnect: { minMs: 2000 }, protocol: 'classic' }
  void createClient(config).close()
  assert.throws(() => untyped().with({ policy: 'miss' }), InvalidArgumentError)
  assert.throws(() => untyped().with({ servers: 'b' }), InvalidArgumentError)
})

test('options and arguments of calls', async () => {
  const client = untyped()
  const wrong: [what: string, call: () => Promise<unknown>][] = [
    ['a ttl in place of options', () => client.set('k', 'v', 60)],
    ["another client's options", () => client.set('k', 'v', { expires: 60 })],
    ['a policy where only fail is right', () => client.incr('k', 1, { policy: 'miss' })],
    ['a policy for add', () => client.add('k', 'v', { policy: 'gutter' })],
    ['an unknown policy', () => client.get('k', { policy: 'x' })],
    ['a signal that is none', () => client.get('k', { signal: {} })],
    ['a negative deadline', () => client.get('k', { deadlineMs: -1 })],
    ['a deadline of fetch', () => client.fetch('k', '1s', () => 'v', { deadlineMs: 'x' })],
    ['a lease that would be a moment', () => client.fetch('k', '1s', () => 'v', { lease: '31d' })],
    ['a lease without end', () => client.fetch('k', '1s', () => 'v', { lease: 0 })],
    ['an endless stale', () => client.fetch('k', '1s', () => 'v', { stale: Number.POSITIVE_INFINITY })],
    ['a delay that would be a moment', () => client.flush({ delay: '31d' })],
    ['half a surrogate pair', () => client.set('k\ud800', 'v')],
    ['a number as key', () => client.get(5)],
    ['no key', () => client.get()],
    ['text in place of keys', () => client.getMany('abc')],
    ['no keys', () => client.getMany()],
    ['a bad key among good ones', () => client.getMany(['a', 'b c'])],
    ['a negative delta', () => client.incr('k', -1)],
    ['a fraction', () => client.decr('k', 0.5)],
    ['a token that is no number', () => client.cas('k', 'v', 'x')],
    ['a token beyond 64 bits', () => client.delete('k', { cas: 2n ** 64n })],
    ['no ttl', () => client.touch('k', 'soon')],
    ['a group with a space', () => client.stats('a b')],
    ['an unknown meta command', () => client.meta('mx', 'k')],
    ['a meta flag of no such form', () => client.meta('ms', 'k', ['Tsoon'], 'v')],
    ['a meta flag of another command', () => client.meta('ms', 'k', ['v'], 'v')],
    ['a meta flag twice', () => client.meta('mg', 'k', ['v', 'v'])],
    ["the client's own flags", () => client.meta('mg', 'k', ['q'])],
    ['a value where none belongs', () => client.meta('mg', 'k', [], 'v')],
    ['no value where one belongs', () => client.meta('ms', 'k', [])],
    ['memory as such', () => client.meta('ms', 'k', [], new ArrayBuffer(5000))],
    ['wide elements', () => client.meta('ms', 'k', [], new Uint16Array(10))],
  ]
  await cache.set('k', 'before')
  for (const [what, call] of wrong) await assert.rejects(call(), InvalidArgumentError, what)
  for (const value of [5, null, undefined, {}, Buffer.from('v')])
    await assert.rejects(client.set('k', value), CodecError)
  assert.equal(await cache.get('k'), 'before')
})

test('a codec of the user is not trusted', async () => {
  const results: unknown[] = [
    undefined,
    {},
    { data: 5, flags: 0 },
    { data: 'v', flags: -1 },
    { data: 'v', flags: 2 ** 32 },
  ]
  for (const result of results) {
    const broken = cache.with({ codec: { encode: () => result as never, decode: () => 'x' } })
    await assert.rejects(broken.set('k', 'v'))
  }
  const throwing = cache.with({
    codec: {
      encode: (data: string) => ({ data, flags: 0 }),
      decode: () => {
        throw new RangeError('mine')
      },
    },
  })
  await throwing.set('k', 'v')
  await assert.rejects(throwing.get('k'), RangeError)
  assert.equal(await cache.get('k'), 'v')
})

test('bytes that are given away before they are sent cost the connection, not the process', async () => {
  await using blobs = createClient({ servers: `127.0.0.1:${server.port}`, codec: bytes(), reconnect: { minMs: 1 } })
  for (const size of [100, 5000, 100_000]) {
    await blobs.get('connected')
    await sleep(10)
    const value = new Uint8Array(size)
    const stored = blobs.set('k', value)
    structuredClone(value.buffer, { transfer: [value.buffer] })
    // What is small is copied at once.
    if (size < 4096) assert.equal(await stored, true)
    else await assert.rejects(stored, ConnectionLostError)
  }
  assert.equal(await blobs.set('k', Buffer.from('after')), true)
})

test('noreply: the bytes are the caller’s again at once, and what was never written is an error', async () => {
  const blobs = createClient({ servers: `127.0.0.1:${server.port}`, codec: bytes() })
  for (const size of [10, 100_000]) {
    const value = Buffer.alloc(size, 'a')
    assert.equal(await blobs.set('k', value, { noreply: true }), true)
    value.fill('b')
    assert.deepEqual(await blobs.get('k'), Buffer.alloc(size, 'a'))
  }
  assert.equal(await blobs.delete('k', { noreply: true }), true)
  assert.equal(await blobs.get('k'), undefined)
  await blobs.close()
  await using nowhere = createClient({ servers: '127.0.0.1:1' })
  await assert.rejects(nowhere.set('k', 'v', { noreply: true }), ServerUnavailableError)
})

test('appending to what is not plain is refused, or seen', async () => {
  const packed = cache.with({ codec: compressed(text()) })
  await packed.set('k', 'abc '.repeat(2000))
  await packed.append('k', 'tail')
  await assert.rejects(packed.get('k'), CodecError)
  await assert.rejects(packed.append('k', 'abc '.repeat(2000)), CodecError)
})

test('an aborted signal keeps nothing, and one signal may serve many calls', async () => {
  const warnings: Error[] = []
  const listen = (warning: Error) => warnings.push(warning)
  process.on('warning', listen)
  const controller = new AbortController()
  const { signal } = controller
  await Promise.all(Array.from({ length: 100 }, (_, i) => cache.get(`k${i}`, { signal })))
  controller.abort(new Error('enough'))
  for (let i = 0; i < 100; i++) await assert.rejects(cache.get('k', { signal }), /enough/)
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', listen)
  assert.deepEqual(warnings, [])
})
