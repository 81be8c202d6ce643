import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionFault, FaultProxy } from 'latchkey/torture'
import { type ClassicServer, startClassicServer } from '../../support/classic-server.js'
import { Wire } from '../../support/wire.js'

/** Long enough for bytes on loopback that are not held back. */
const settleMs = 60
const request = 'set key 0 0 5\r\nhello\r\nget key\r\n'
const whole = 'STORED\r\nVALUE key 0 5\r\nhello\r\nEND\r\n'

let server: ClassicServer
let proxy: FaultProxy

before(async () => {
  server = await startClassicServer()
})
after(() => server.stop())

async function through(fault: ConnectionFault): Promise<Wire> {
  proxy.plan = () => fault
  return Wire.open(proxy)
}

/** It may be as early as that. */
function wasReset(error: NodeJS.ErrnoException): undefined {
  assert.equal(error.code, 'ECONNRESET')
}

function proxyTest(name: string, body: () => Promise<void>): void {
  test(name, async () => {
    proxy = await FaultProxy.start(server)
    try {
      await body()
    } finally {
      await proxy.stop()
    }
    for (let tries = 0; server.open() > 0 && tries < 100; tries++) await sleep(5)
    assert.equal(server.open(), 0, 'a connection to the server was left open')
  })
}

const harmless: Record<string, ConnectionFault> = {
  'nothing planned': {},
  delay: { requests: { delayMs: 5 }, replies: { delayMs: 5 } },
  'byte by byte': { requests: { bytewise: 1000 }, replies: { bytewise: 20 } },
  splits: { requests: { mishaps: [{ at: 3, what: 'split' }] }, replies: { mishaps: [{ at: 30, what: 'split' }] } },
  pauses: { replies: { mishaps: [{ at: 9, what: 'pause', ms: 5 }] } },
}

for (const [name, fault] of Object.entries(harmless))
  proxyTest(`${name}: every byte arrives, and the end does`, async () => {
    const wire = await through(fault)
    await wire.send(request)
    wire.end()
    assert.equal((await wire.takeToClose()).toString(), whole)
  })

proxyTest('fin and reset come after exactly so many bytes', async () => {
  for (let at = 0; at < whole.length; at++) {
    const fin = await through({ replies: { mishaps: [{ at, what: 'fin' }] } })
    await fin.send(request)
    assert.equal((await fin.takeToClose()).toString(), whole.slice(0, at))
    fin.close()
    // What a reset overtakes is lost, at the reader's side too.
    const reset = await through({ replies: { mishaps: [{ at, what: 'rst' }] } }).catch(wasReset)
    await reset?.send(request)
    const got = (await reset?.takeToClose())?.toString() ?? ''
    assert.ok(got.length <= at && whole.startsWith(got), got)
  }
})

proxyTest('silence: bytes up to there, and no end', async () => {
  const wire = await through({ replies: { mishaps: [{ at: 12, what: 'silence' }] } })
  await wire.send(request)
  assert.equal((await wire.take(1000, settleMs)).toString(), whole.slice(0, 12))
  assert.equal(wire.closed, false)
  wire.close()
})

proxyTest('requests cut short do not happen', async () => {
  const wire = await through({ requests: { mishaps: [{ at: 18, what: 'fin' }] } })
  await wire.send('set short 0 0 5\r\nhello\r\n')
  await wire.expectClosed()
  wire.close()
  const other = await through({})
  await other.send('get short\r\n')
  await other.expect('END\r\n')
  other.close()
})

proxyTest('bytes inserted, bytes dropped', async () => {
  const wire = await through({
    replies: {
      mishaps: [
        { at: 8, what: 'insert', bytes: 'END\r\n' },
        { at: 23, what: 'drop', count: 2 },
      ],
    },
  })
  await wire.send(request)
  await wire.expect('STORED\r\nEND\r\nVALUE key 0 5\r\nllo\r\nEND\r\n')
  wire.close()
})

proxyTest('bytes inserted at the end of a line', async () => {
  const wire = await through({ replies: { mishaps: [{ at: 12, what: 'insert', bytes: 'EX\r\n', afterLine: true }] } })
  await wire.send(request)
  await wire.expect('STORED\r\nVALUE key 0 5\r\nEX\r\nhello\r\nEND\r\n')
  wire.close()
})

proxyTest('closed at once, and swallowed', async () => {
  const closed = await through({ closeAtOnce: 'fin' })
  await closed.expectClosed()
  closed.close()
  const reset = await through({ closeAtOnce: 'rst' }).catch(wasReset)
  await reset?.expectClosed()
  const swallowed = await through({ swallow: true })
  await swallowed.send(request)
  assert.equal((await swallowed.take(1, settleMs)).length, 0)
  assert.equal(swallowed.closed, false)
  swallowed.close()
})

proxyTest('hang holds everything back, resume lets it go', async () => {
  const wire = await through({})
  await wire.send('version\r\n')
  const greeting = await wire.takeLine()
  proxy.hang()
  await wire.send('version\r\n')
  assert.equal((await wire.take(1, settleMs)).length, 0)
  proxy.resume()
  assert.deepEqual(await wire.takeLine(), greeting)
  wire.close()
})

proxyTest('cutAll, refuse and accept', async () => {
  const wire = await through({})
  await proxy.refuse()
  await assert.rejects(Wire.open(proxy), { code: 'ECONNREFUSED' })
  await wire.send('version\r\n')
  assert.match((await wire.takeLine()).toString(), /^VERSION/)
  proxy.cutAll()
  await wire.expectClosed()
  await proxy.accept()
  const again = await Wire.open(proxy)
  await again.send('version\r\n')
  assert.match((await again.takeLine()).toString(), /^VERSION/)
  assert.equal(proxy.accepted, 2)
  again.close()
})
