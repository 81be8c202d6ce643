/** A server's own life, through the public API: options, limits, threads that die, shutdown. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ServeOptions, type Server, serve } from 'latchkey/server'
import { Wire } from '../support/wire.js'

const small = (options: ServeOptions = {}) =>
  serve({ port: 0, threads: 2, memory: '16mb', log: () => undefined, ...options })

async function ask(server: Server, text: string, wanted: string): Promise<void> {
  const wire = await Wire.open(server)
  await wire.send(text)
  await wire.expect(wanted)
  wire.close()
}

/** Opens this many connections, and tells how many each worker has. */
async function shares(server: Server, count: number): Promise<number[]> {
  const wires: Wire[] = []
  for (let i = 0; i < count; i++) {
    const wire = await Wire.open(server)
    wires.push(wire)
    await wire.send('mn\r\n')
    // A connection to a worker that is just dying breaks; the next one does not.
    if ((await wire.take(4)).toString() !== 'MN\r\n') wires.pop()
  }
  await wires[0]?.send('stats conns\r\n')
  const text = (await wires[0]?.takeUntil('END\r\n'))?.toString('latin1') ?? ''
  for (const wire of wires) wire.close()
  return Array.from({ length: server.settings.threads }, (_, worker) => {
    return [...text.matchAll(new RegExp(`^STAT ${worker + 1}\\d+:addr`, 'gm'))].length
  })
}

async function stat(server: Server, name: string): Promise<string | undefined> {
  const wire = await Wire.open(server)
  await wire.send('stats\r\n')
  const text = (await wire.takeUntil('END\r\n')).toString('latin1')
  wire.close()
  return new RegExp(`^STAT ${name} (.*)\r$`, 'm').exec(text)?.[1]
}

test('threads share one table', async () => {
  await using server = await small({ threads: 3 })
  await ask(server, 'set shared 0 0 2\r\nok\r\n', 'STORED\r\n')
  for (let i = 0; i < 12; i++) await ask(server, 'get shared\r\n', 'VALUE shared 0 2\r\nok\r\nEND\r\n')
})

test('past the limit a connection is told so and closed; a place that is left is free again', async () => {
  const words: string[] = []
  await using server = await small({ maxConnections: 3, verbosity: 1, log: (message) => words.push(message) })
  const wires = await Promise.all([Wire.open(server), Wire.open(server), Wire.open(server)])
  for (const wire of wires) {
    await wire.send('mn\r\n')
    await wire.expect('MN\r\n')
  }
  const refused = await Wire.open(server)
  assert.equal((await refused.takeToClose()).toString(), 'ERROR Too many open connections\r\n')
  while (words.length === 0) await sleep(5)
  assert.match(words[0] as string, /too many are open/)
  wires[0]?.close()
  for (;;) {
    const next = await Wire.open(server)
    await next.send('mn\r\n')
    const answer = (await next.takeLine()).toString()
    next.close()
    if (answer === 'MN\r\n') break
    await sleep(10)
  }
  for (const wire of wires) wire.close()
})

test('close answers what was read, and then closes', async () => {
  const server = await small()
  const wire = await Wire.open(server)
  await wire.send('set last 0 0 4\r\nword\r\nget last\r\n')
  await wire.expect('STORED\r\nVALUE last 0 4\r\nword\r\nEND\r\n')
  const idle = await Wire.open(server)
  await Promise.all([server.close(), wire.expectClosed(), idle.expectClosed()])
  await server.closed
  await assert.rejects(Wire.open(server))
})

test('a worker that dies is replaced, and the table lives on', async () => {
  const words: string[] = []
  await using server = await small({ threads: 2, log: (message) => words.push(message) })
  await ask(server, 'set before 0 0 2\r\nok\r\n', 'STORED\r\n')
  for (const index of [0, 1]) {
    await server.killWorker(index)
    // It is back as soon as connections again spread over both.
    while ((await shares(server, 8)).filter((share) => share > 0).length < 2) await sleep(20)
    await ask(server, 'get before\r\n', 'VALUE before 0 2\r\nok\r\nEND\r\n')
  }
  assert.equal(words.filter((line) => line.includes('died')).length, 2)
})

test('an idle connection is closed, a busy one is not', async () => {
  await using server = await small({ idleTimeoutSeconds: 1 })
  const idle = await Wire.open(server)
  const busy = await Wire.open(server)
  const closed = idle.expectClosed()
  let over = false
  void closed.then(() => {
    over = true
  })
  while (!over) {
    await busy.send('mn\r\n')
    await busy.expect('MN\r\n')
    await sleep(50)
  }
  await busy.send('mn\r\n')
  await busy.expect('MN\r\n')
  assert.equal(await stat(server, 'idle_kicks'), '1')
  busy.close()
})

test('a port in use is refused with its code, and options out of bounds with a reason', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as { port: number }
  await assert.rejects(small({ port }), { code: 'EADDRINUSE' })
  other.close()
  await assert.rejects(small({ threads: 0 }), /threads is 0/)
  await assert.rejects(small({ port: 70_000 }), /port is 70000/)
})

test('clients stop the server only where that is allowed', async () => {
  await using closed = await small()
  await ask(closed, 'shutdown\r\n', 'SERVER_ERROR: shutdown not enabled\r\n')
  const open = await small({ allowShutdown: true })
  const wire = await Wire.open(open)
  await wire.send('shutdown\r\n')
  await wire.expectClosed()
  await open.closed
})

test('a Unix socket serves, and is gone afterwards', async () => {
  const path = `/tmp/latchkey-test-${process.pid}.sock`
  const { existsSync } = await import('node:fs')
  const { connect } = await import('node:net')
  {
    await using server = await small({ socketPath: path })
    assert.equal(server.port, 0)
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(path)
      socket.on('error', reject)
      socket.on('data', (chunk) => {
        socket.destroy()
        resolve(chunk.toString())
      })
      socket.write('mn\r\n')
    })
    assert.equal(answer, 'MN\r\n')
    await assert.rejects(small({ socketPath: path }), { code: 'EADDRINUSE' })
  }
  assert.equal(existsSync(path), false)
})

test('where sockets can be moved or ports shared, connections spread evenly', async (t) => {
  await using server = await small({ threads: 4 })
  if (server.listenerKind !== 'turns') {
    t.skip(`Node ${process.versions.node} spreads by ${server.listenerKind}: no promise there`)
    return
  }
  for (const share of await shares(server, 100)) assert.ok(share >= 19 && share <= 31, `a worker has ${share} of 100`)
})
