/** What only registers on memcached have to bear. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from 'latchkey/client'
import { memcached, memcachedOver, type Registers } from 'latchkey/locks'
import type { Wire } from '#dist/locks/drivers/memcached/dialect.js'
import { rawViewOf } from '#dist/locks/drivers/memcached/raw.js'
import { requirePeer } from '../../support/peers.js'
import { startMemcached } from '../../support/process.js'
import { call } from './case.js'

const LONG_MS = 3_600_000

/** Something is done before the next token is read. */
function beforeReading(wire: Wire, act: () => Promise<unknown>): Wire {
  let done: Promise<unknown> | undefined
  return new Proxy(wire, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'meta') return value.bind(target)
      return async (...args: Parameters<Wire['meta']>) => {
        done ??= act()
        await done
        return target.meta(...args)
      }
    },
  })
}

test('what another has swapped in before our token is read is not taken for ours, nor ours for not done', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached')) return
  const server = await startMemcached()
  const client = createClient({ servers: `${server.host}:${server.port}` })
  const other = memcached(client, { freshServers: 'trust' }).registers!
  try {
    let theirs: unknown
    const overtaken = async (registers: Registers, key: string) => {
      const { version } = (await registers.read(key, call))!
      // The same value, so that only the token tells.
      theirs = await registers.swap(key, 'a', version, LONG_MS, call)
    }
    const wire = beforeReading(rawViewOf(client), () => overtaken(other, 'k'))
    const mine = memcachedOver(wire, { freshServers: 'trust' }).registers!
    const version = await mine.swap('k', 'a', undefined, LONG_MS, call)
    assert.notEqual(theirs, undefined)
    assert.notEqual(version, undefined, 'it was done')
    assert.notEqual(version, theirs)
    assert.equal(await mine.swap('k', 'b', version, LONG_MS, call), undefined, 'and changed since')
    assert.deepEqual(await mine.read('k', call), { value: 'a', version: theirs })
  } finally {
    await client.close()
    await server.stop()
  }
})
