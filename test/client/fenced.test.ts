/** Writes with a fence: what goes over the wire, what a refusal becomes, and where none may be tried. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, createClient, InvalidArgumentError, StaleFenceError, UnsupportedError } from 'latchkey/client'
import { requirePeer } from '../support/peers.js'
import { startLatchkey, startMemcached } from '../support/process.js'
import { type Line, type ScriptedServer, startScriptedServer } from '../support/scripted-server.js'

const latchkey: Line = ['version\r\n', 'VERSION 1.6.45-latchkey.0.1.0\r\n']
const noop: Line = ['mn\r\n', 'MN\r\n']

/** Answers the request that `line` matches so, with its opaque. */
const answering = (line: RegExp, status: string): Line => [
  line,
  (socket, request) => socket.write(`${status} ${/O\d+/.exec(request)}\r\n`),
]

async function scripted(script: Line[], run: (client: Client<string>, server: ScriptedServer) => Promise<void>) {
  const server = await startScriptedServer([latchkey, noop, ...script])
  const client = createClient({ servers: `${server.host}:${server.port}` })
  try {
    await run(client, server)
  } finally {
    await client.close()
    await server.stop()
  }
}

const isStale = (error: unknown) => error instanceof StaleFenceError && error.code === 'STALE_FENCE'

test('set and delete carry the fence', async () => {
  const script = [answering(/^ms k 1 T60 g77 O\d+\r\nv\r\n/, 'HD'), answering(/^md k g78 O\d+\r\n/, 'HD')]
  await scripted([...script, answering(/^md gone g78 O\d+\r\n/, 'NF')], async (client) => {
    assert.equal(await client.set('k', 'v', { ttl: '1m', fence: 77n }), true)
    assert.equal(await client.delete('k', { fence: 78n }), true)
    assert.equal(await client.delete('gone', { fence: 78n }), false)
  })
})

test('a refusal is a StaleFenceError, and the connection goes on', async () => {
  const script = [answering(/^ms k 1 g7 O\d+\r\nv\r\n/, 'EX'), answering(/^md k g7 O\d+\r\n/, 'EX')]
  await scripted([...script, answering(/^ms k 1 O\d+\r\nv\r\n/, 'HD')], async (client) => {
    await assert.rejects(client.set('k', 'v', { fence: 7n }), isStale)
    await assert.rejects(client.delete('k', { fence: 7n }), isStale)
    assert.equal(await client.set('k', 'v'), true)
  })
})

test('what is no fence is refused, above all the fence of a lock that has none', async () => {
  await scripted([], async (client, server) => {
    for (const fence of [undefined, null, 0n, -1n, 2n ** 63n, 5, '5']) {
      const options = { fence } as { fence: bigint }
      const refusal = { code: 'INVALID_ARGUMENT', message: /^fence is a bigint/ }
      await assert.rejects(client.set('k', 'v', options), refusal)
      await assert.rejects(client.delete('k', options), refusal)
    }
    const options = { fence: 5n } as object
    for (const ignored of [
      client.add('k', 'v', options),
      client.replace('k', 'v', options),
      client.append('k', 'v', options),
      client.cas('k', 'v', 1n, options),
      client.update('k', () => 'v', options),
      client.touch('k', '1m', options),
      client.incr('k', 1, options),
      client.delete('k', { fence: 5n, cas: 1n }),
      client.set('k', 'v', { fence: 5n, policy: 'miss' }),
    ]) {
      await assert.rejects(ignored, InvalidArgumentError)
    }
    assert.equal(server.received(), '')
  })
})

test('no spare server takes a fenced write', async () => {
  const spare = await startScriptedServer([latchkey, noop, answering(/^ms \S+ 1 .*O\d+\r\nv\r\n/, 'HD')])
  const gutter = { servers: `${spare.host}:${spare.port}` }
  const client = createClient({ servers: '127.0.0.1:1', policy: 'gutter', gutter })
  try {
    assert.equal(await client.set('k', 'v'), true)
    await assert.rejects(client.set('k', 'v', { fence: 5n }), { code: 'SERVER_UNAVAILABLE' })
  } finally {
    await client.close()
    await spare.stop()
  }
})

test('stock memcached and the classic protocol cannot guard: nothing is written', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  const memcached = await startMemcached()
  const server = await startLatchkey({ threads: 1 })
  try {
    for (const options of [
      { servers: `127.0.0.1:${memcached.port}` },
      { servers: `127.0.0.1:${server.port}`, protocol: 'classic' } as const,
    ]) {
      await using client = createClient(options)
      await client.set('k', 'before')
      await assert.rejects(client.set('k', 'v', { fence: 5n }), UnsupportedError)
      await assert.rejects(client.delete('k', { fence: 5n }), UnsupportedError)
      assert.equal(await client.get('k'), 'before')
    }
  } finally {
    await memcached.stop()
    await server.stop()
  }
})
