/** Input that only shows to be wrong on the way, or that changes there: it ends no process, and nobody else's call. */
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

test('a value of another type than the codec takes', async () => {
  await cache.set('k', 'before')
  for (const value of [5, null, undefined, {}, Buffer.from('v')]) {
    await assert.rejects(cache.set('k', value as string), CodecError)
  }
  assert.equal(await cache.get('k'), 'before')
})

test('a configuration may be written down by itself', async () => {
  const config: ClientOptions<string> = { reconnect: { minMs: 2000 }, protocol: 'classic' }
  await createClient(config).close()
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
    // Who comes alone is written at once; who comes second, at the end of the tick.
    const first = blobs.get('connected').catch(() => undefined)
    const stored = blobs.set('k', value)
    structuredClone(value.buffer, { transfer: [value.buffer] })
    // What is small is copied at once.
    if (size < 4096) assert.equal(await stored, true)
    else await assert.rejects(stored, ConnectionLostError)
    await first
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
