/** The doubles against the real thing: what the classic one says, memcached says too. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startBlackhole } from './blackhole.js'
import { startClassicServer } from './classic-server.js'
import { startSilentServer } from './double.js'
import { requirePeer } from './peers.js'
import { startMemcached } from './process.js'
import { startScriptedServer } from './scripted-server.js'
import { Wire } from './wire.js'

const long = 'k'.repeat(251)
const conversation = [
  'get a b\r\n',
  'set a 7 0 5\r\nhello\r\n',
  'add a 0 0 1\r\nx\r\n',
  'add b 0 0 2\r\n10\r\n',
  'replace c 0 0 1\r\nx\r\n',
  'append a 9 9 1\r\n!\r\n',
  'prepend a 9 9 1\r\n>\r\n',
  'append none 0 0 1\r\n!\r\n',
  'get a b none\r\n',
  'cas none 0 0 1 5\r\nx\r\n',
  'cas a 0 0 1 999999\r\nx\r\n',
  'incr b 5\r\n',
  'decr b 6\r\n',
  'get b\r\n',
  'decr b 100\r\n',
  'incr b 18446744073709551615\r\n',
  'incr b 2\r\n',
  'incr a 1\r\n',
  'incr b x\r\n',
  'incr none 1\r\n',
  'touch a 100\r\n',
  'touch none 100\r\n',
  'gat 0 a none\r\n',
  'set gone 0 -1 1\r\nx\r\n',
  'get gone\r\n',
  'set quiet 0 0 1 noreply\r\nq\r\n',
  'delete quiet noreply\r\n',
  'get quiet\r\n',
  'delete a\r\n',
  'delete a\r\n',
  'set a 0 0 1\r\nxyz\r\n',
  'set a 0 0 1\r\nx\r\nset a 0 0 1048577\r\n',
  `${'v'.repeat(1_048_577)}\r\n`,
  'get a\r\n',
  'nonsense\r\n',
  `set ${long} 0 0 1\r\nx\r\n`,
  'flush_all\r\n',
  'get b\r\n',
]

test('the classic double answers like memcached', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  const double = await startClassicServer()
  const real = await startMemcached()
  try {
    const said: string[] = []
    for (const server of [double, real]) {
      const wire = await Wire.open(server)
      for (const request of conversation) await wire.send(request)
      await wire.send('quit\r\n')
      said.push((await wire.takeToClose()).toString('latin1'))
    }
    assert.deepEqual(said[0].split('\r\n'), said[1].split('\r\n'))
  } finally {
    await real.stop()
    await double.stop()
  }
})

test('the classic double: tokens, and no meta commands whatever its version', async () => {
  for (const version of ['1.4.39', '1.6.18']) {
    const server = await startClassicServer({ version })
    const wire = await Wire.open(server)
    await wire.send('version\r\nmn\r\nmg a v\r\nms a 1\r\nx\r\nset a 0 0 1\r\nx\r\ngets a\r\n')
    await wire.expect(
      `VERSION ${version}\r\nERROR\r\nERROR\r\nERROR\r\nERROR\r\nSTORED\r\nVALUE a 0 1 1\r\nx\r\nEND\r\n`,
    )
    await wire.send('cas a 0 0 1 1\r\ny\r\ncas a 0 0 1 1\r\nz\r\nget a\r\n')
    await wire.expect('STORED\r\nEXISTS\r\nVALUE a 0 1\r\ny\r\nEND\r\n')
    wire.close()
    await server.stop()
  }
})

test('the silent server says nothing, the scripted one what it was told to', async () => {
  const silent = await startSilentServer()
  const wire = await Wire.open(silent)
  await wire.send('version\r\n')
  assert.equal((await wire.take(1, 50)).length, 0)
  assert.equal(silent.accepted(), 1)
  await silent.stop()
  await wire.expectClosed()
  const scripted = await startScriptedServer([
    ['set a 0 0 1\r\nx\r\n', 'STORED\r\n'],
    [/^get \w+\r\n/, 'END\r\n'],
  ])
  const other = await Wire.open(scripted)
  await other.send('set a 0 0 1\r\nx\r\nget b\r\nfoo')
  await other.expect('STORED\r\nEND\r\n')
  assert.equal(scripted.unexpected(), 'foo')
  assert.equal(scripted.received(), 'set a 0 0 1\r\nx\r\nget b\r\nfoo')
  await scripted.stop()
})

test('a connection to the blackhole does not come about', async () => {
  const hole = await startBlackhole()
  const socket = connect(hole.port, hole.host)
  const what = await new Promise<string>((resolve) => {
    socket.once('connect', () => resolve('connected'))
    socket.once('error', (error) => resolve(String(error)))
    setTimeout(resolve, 300, 'nothing')
  })
  assert.equal(what, 'nothing')
  socket.destroy()
  await hole.stop()
})
