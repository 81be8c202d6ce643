/** TLS on the server: what clients may do to it, and what it asks of them. Traffic over TLS is in `robustness.test.ts`. */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { type ServeOptions, type Server, serve } from 'latchkey/server'
import { dial } from '../support/dial.js'
import { tlsBytes, tlsFile } from '../support/tls.js'
import { Wire } from '../support/wire.js'

const own = { certFile: tlsFile('cert.pem'), keyFile: tlsFile('key.pem') }
const second = { certFile: tlsFile('second.pem'), keyFile: tlsFile('second-key.pem') }

function start(tls: Partial<ServeOptions['tls']> = {}, options: ServeOptions = {}): Promise<Server> {
  return serve({ port: 0, threads: 2, memory: '16mb', log: () => undefined, tls: { ...own, ...tls }, ...options })
}

const over = ({ host, port }: Server, tls: true | ConnectionOptions = true) => ({ host, port, tls })

async function stat(server: Server, name: string, kind = ''): Promise<string | undefined> {
  const wire = await Wire.open(over(server))
  await wire.send(`stats${kind}\r\n`)
  const text = (await wire.takeUntil('END\r\n')).toString('latin1')
  wire.close()
  return new RegExp(`^STAT ${name} (.*)\r$`, 'm').exec(text)?.[1]
}

/** Whether a client that comes so is answered; a refusal may show during the handshake or after it. */
async function isLetIn(server: Server, tls: ConnectionOptions): Promise<boolean> {
  try {
    const wire = await Wire.open(over(server, tls))
    await wire.send('mn\r\n')
    const answer = await wire.take(4)
    wire.close()
    return answer.toString() === 'MN\r\n'
  } catch {
    return false
  }
}

function begin({ host, port }: Server, first: string | Uint8Array = ''): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => resolve(socket))
    // After the connection is made, an error is a close like any other.
    socket.on('error', reject)
    socket.resume()
    if (first.length > 0) socket.write(first)
  })
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()))
}

/** Only the asking connection is left. */
async function onlyOneLeft(server: Server): Promise<void> {
  while ((await stat(server, 'curr_connections')) !== '1') await sleep(10)
}

/** The beginning of a ClientHello: a record of 512 bytes is announced. */
const HALF_HELLO = Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3)

test('a handshake that hangs, drips or is none is closed, counted and told of, and costs no place', async () => {
  const words: string[] = []
  const log = (text: string) => words.push(text)
  await using server = await start({ handshakeTimeoutMs: 300 }, { verbosity: 1, log })
  const silent = await begin(server)
  const half = await begin(server, HALF_HELLO)
  const drips = await begin(server, HALF_HELLO)
  const drip = setInterval(() => drips.write(Uint8Array.of(0)), 50)
  const plain = await begin(server, 'get greeting\r\n')
  const broken = await begin(server, HALF_HELLO)
  broken.resetAndDestroy()
  await Promise.all([silent, half, drips, plain, broken].map(closed))
  clearInterval(drip)
  await onlyOneLeft(server)
  assert.equal(await stat(server, 'ssl_handshake_errors'), '5')
  assert.equal(words.filter((text) => text.includes('TLS handshake failed')).length, 5)
})

test('who says no more in the middle of its handshake gives its place back, long before the time limit', async () => {
  await using server = await start({ handshakeTimeoutMs: 3_600_000 })
  for (const first of ['', HALF_HELLO]) {
    const gone = await begin(server, first)
    gone.end()
    await closed(gone)
  }
  await onlyOneLeft(server)
})

test('who is through may be silent longer than a handshake may take', async () => {
  await using server = await start({ handshakeTimeoutMs: 100 })
  const wire = await Wire.open(over(server))
  await sleep(500)
  await wire.send('mn\r\n')
  await wire.expect('MN\r\n')
  wire.close()
})

test('two thousand handshakes begun at once take the places that there are, and give them back', async () => {
  await using server = await start({ handshakeTimeoutMs: 1000 }, { maxConnections: 200 })
  const sockets = await Promise.all(Array.from({ length: 2000 }, (_, i) => begin(server, i % 2 ? HALF_HELLO : '')))
  await Promise.all(sockets.map(closed))
  await onlyOneLeft(server)
  assert.equal(
    Number(await stat(server, 'rejected_connections')),
    2000 - Number(await stat(server, 'ssl_handshake_errors')),
  )
})

test('past the limit a connection is closed, and nothing that is no TLS is said', async () => {
  await using server = await start({}, { maxConnections: 1 })
  const wire = await Wire.open(over(server))
  await wire.send('mn\r\n')
  await wire.expect('MN\r\n')
  let heard = 0
  const socket = await begin(server)
  socket.on('data', (bytes) => {
    heard += bytes.length
  })
  await closed(socket)
  assert.equal(heard, 0)
  wire.close()
})

test('client certificates: ignored, checked, required', async () => {
  const none = {}
  const right = { cert: tlsBytes('client.pem'), key: tlsBytes('client-key.pem') }
  const wrong = { cert: tlsBytes('second.pem'), key: tlsBytes('second-key.pem') }
  const older = { maxVersion: 'TLSv1.2' } as const
  for (const [clientCertificates, wanted] of [
    ['ignored', [true, true, true]],
    ['checked', [true, true, false]],
    ['required', [false, true, false]],
  ] as const) {
    await using server = await start({ clientCertificates, caFile: tlsFile('ca.pem') })
    for (const version of [{}, older]) {
      const found: boolean[] = []
      for (const who of [none, right, wrong]) found.push(await isLetIn(server, { ...who, ...version }))
      assert.deepEqual(found, wanted, clientCertificates)
    }
  }
})

test('versions below the least are refused; keys may be in DER', async () => {
  await using server = await start({
    certFile: second.certFile,
    keyFile: tlsFile('second-key.der'),
    keyFormat: 'der',
    minVersion: 'TLSv1.3',
  })
  assert.equal(await isLetIn(server, { maxVersion: 'TLSv1.2' }), false)
  assert.equal(await isLetIn(server, {}), true)
  assert.equal(await stat(server, 'ssl_min_version', ' settings'), 'tlsv1.3')
})

test('a client that asks for a new handshake over TLS 1.2 does not get it', async () => {
  await using server = await start()
  const socket = (await dial(over(server, { maxVersion: 'TLSv1.2' }))) as TLSSocket
  const refused = new Promise<Error>((resolve) => {
    socket.once('error', resolve)
    socket.renegotiate({}, (error) => resolve(error ?? new Error('it was made')))
  })
  assert.match((await refused).message, /no renegotiation/i)
  socket.destroy()
})

test('a session is resumed on whichever thread, until certificates are read again', async () => {
  await using server = await start({}, { threads: 3 })
  const version = { maxVersion: 'TLSv1.2' } as const
  const first = (await dial(over(server, version))) as TLSSocket
  const session = first.getSession()
  assert.ok(session)
  const resumes = async () => {
    const socket = (await dial(over(server, { ...version, session }))) as TLSSocket
    const reused = socket.isSessionReused()
    socket.destroy()
    return reused
  }
  for (let i = 0; i < 12; i++) assert.equal(await resumes(), true)
  assert.equal(await stat(server, 'ssl_new_sessions'), '2')
  await server.reload()
  assert.equal(await resumes(), false)
  first.destroy()
})

test('a large reply before a close arrives whole', async () => {
  await using server = await start()
  const size = 1_000_000
  const reply = `VALUE big 0 ${size}\r\n${'v'.repeat(size)}\r\nEND\r\n`
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const wire = await Wire.open(over(server, { maxVersion }))
    await wire.send(`set big 0 0 ${size}\r\n${'v'.repeat(size)}\r\n${'get big\r\n'.repeat(10)}quit\r\n`)
    assert.equal((await wire.takeToClose()).toString('latin1'), `STORED\r\n${reply.repeat(10)}`)
  }
})

test('close answers what was read, and closes who is silent or half-way through a handshake', async () => {
  const server = await start()
  const wire = await Wire.open(over(server))
  await wire.send('set last 0 0 4\r\nword\r\nget last\r\n')
  await wire.expect('STORED\r\nVALUE last 0 4\r\nword\r\nEND\r\n')
  const idle = await Wire.open(over(server))
  const half = await begin(server, HALF_HELLO)
  half.on('error', () => undefined)
  await Promise.all([server.close(), wire.expectClosed(), idle.expectClosed(), closed(half)])
})

test('an idle connection is closed', async () => {
  await using server = await start({}, { idleTimeoutSeconds: 1 })
  const wire = await Wire.open(over(server))
  await wire.expectClosed()
  assert.equal(await stat(server, 'idle_kicks'), '1')
})

test('files that cannot be used are refused at the start, each with its name and why', async () => {
  for (const [tls, words] of [
    [{ certFile: '/nowhere.pem' }, /certificate chain: \/nowhere\.pem : ENOENT/],
    [{ certFile: own.keyFile }, /certificate chain: .*key\.pem/],
    [{ keyFile: own.certFile }, /the key: .*cert\.pem/],
    [{ keyFile: second.keyFile }, /the key: .*second-key\.pem/],
    [{ keyFile: tlsFile('second-key.der') }, /the key: .*second-key\.der/],
    [{ keyFile: own.certFile, keyFormat: 'der' }, /not a private key in DER/],
    [{ clientCertificates: 'required', caFile: own.keyFile }, /authorities: .*key\.pem/],
    [{ ciphers: 'NONE-SUCH' }, /cipher\(s\): NONE-SUCH/],
  ] as const) {
    await assert.rejects(start(tls), { code: 'TLS_FILE', message: words })
  }
  await assert.rejects(start({ clientCertificates: 'required' }), RangeError)
  await assert.rejects(start({ handshakeTimeoutMs: 0 }), RangeError)
})
