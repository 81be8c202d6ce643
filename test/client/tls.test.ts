/** TLS to a real memcached. The key beside the certificate is for these tests alone. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createClient, ServerUnavailableError } from 'latchkey/client'
import { requirePeer } from '../support/peers.js'
import { type ServerProcess, startMemcached } from '../support/process.js'
import { projectRoot } from '../support/root.js'

const folder = join(projectRoot, 'test/support/tls')
const ca = readFileSync(join(folder, 'cert.pem'))
let server: ServerProcess | undefined

before(async () => {
  // Without memcached each test skips with the reason.
  try {
    const keys = `ssl_chain_cert=${join(folder, 'cert.pem')},ssl_key=${join(folder, 'key.pem')}`
    server = await startMemcached(['-Z', '-o', keys])
  } catch {}
})
after(() => server?.stop())

test('a certificate that is trusted: values of every size, many at once', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  await using cache = createClient({ servers: `localhost:${server!.port}`, tls: { ca } })
  const sizes = [0, 1, 100, 16_383, 16_384, 16_385, 70_000, 500_000]
  const value = (size: number) => `${size}`.padEnd(size, 'x').slice(0, size)
  await Promise.all(sizes.map((size) => cache.set(`size:${size}`, value(size))))
  for (let round = 0; round < 20; round++) {
    const found = await Promise.all(sizes.map((size) => cache.get(`size:${size}`)))
    assert.deepEqual(found, sizes.map(value))
    // The outbox must not write over what TLS still keeps.
    await Promise.all(Array.from({ length: 200 }, (_, i) => cache.set(`k:${i}`, `${round}:${i}`)))
    const many = await cache.getMany(Array.from({ length: 200 }, (_, i) => `k:${i}`))
    for (let i = 0; i < 200; i++) assert.equal(many.get(`k:${i}`), `${round}:${i}`)
  }
})

test('a certificate that is not trusted, and a client without TLS', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  await using distrusting = createClient({ servers: `localhost:${server!.port}`, tls: true })
  await assert.rejects(distrusting.get('key'), (error) => {
    assert.ok(error instanceof ServerUnavailableError)
    assert.match(error.message, /self-signed certificate/)
    return true
  })
  await using plain = createClient({ servers: `localhost:${server!.port}` })
  await assert.rejects(plain.get('key'), ServerUnavailableError)
})

test('options that TLS cannot work with fail the call, not the process', async () => {
  await using cache = createClient({ servers: 'localhost:1', tls: { cert: 'no certificate' } })
  await assert.rejects(cache.get('key'), ServerUnavailableError)
})
