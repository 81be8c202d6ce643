import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirePeer } from './peers.js'
import { startMemcached } from './process.js'
import { Wire } from './wire.js'

test('the helpers can start, talk to and stop a real server', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  const server = await startMemcached()
  try {
    const wire = await Wire.open(server)
    await wire.send('mn\r\nset a 0 0 1\r\nx\r\n')
    await wire.expect('MN\r\nSTORED\r\n')
    await wire.send('get a\r\n')
    assert.equal((await wire.takeUntil('END\r\n')).toString('latin1'), 'VALUE a 0 1\r\nx\r\nEND\r\n')
    await assert.rejects(wire.expect('anything', 50))
    await wire.send('quit\r\n')
    await wire.expectClosed()
  } finally {
    assert.equal(await server.stop(), 'SIGKILL')
  }
  assert.equal(server.alive(), false)
})
