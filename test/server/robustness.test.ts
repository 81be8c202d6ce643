/** Clients that are slow, greedy, broken or gone, against a server in a process of its own. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ServerProcess, startLatchkey } from '../support/process.js'
import { tlsArgs } from '../support/tls.js'
import { Wire } from '../support/wire.js'
import { DeafClient } from './deaf-client.js'

const MIB = 1_048_576

/** Resident memory of the server, in bytes. */
function memoryOf({ pid }: ServerProcess): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(match?.[1]) * 1024
}

// How much is asked for: far more than may be kept, and not more than takes long to encrypt.
for (const [path, env, args, large] of [
  ['raw streams', '0', [], 600],
  ['plain sockets', '1', [], 600],
  ['TLS', '0', tlsArgs, 200],
  ['TLS on plain sockets', '1', tlsArgs, 200],
] as const) {
  let server: ServerProcess

  before(async () => {
    process.env.LATCHKEY_PLAIN_SOCKETS = env
    server = await startLatchkey({ threads: 1, args: ['-I', '2m', ...args] })
    delete process.env.LATCHKEY_PLAIN_SOCKETS
  })
  after(async () => {
    assert.equal(await server.stop(), 0)
  })

  test(`${path}: requests cut at every byte are answered as if whole`, async () => {
    const text = 'set cut 7 0 4\r\na\r\nb\r\nget cut nothing cut\r\nmg cut v f\r\ndelete cut\r\n'
    const value = 'VALUE cut 7 4\r\na\r\nb\r\n'
    const wanted = `STORED\r\n${value}${value}END\r\nVA 4 f7\r\na\r\nb\r\nDELETED\r\n`
    for (let cut = 1; cut < text.length; cut++) {
      const wire = await Wire.open(server)
      await wire.send(text.slice(0, cut))
      await sleep(1)
      await wire.send(text.slice(cut))
      await wire.expect(wanted)
      wire.close()
    }
  })

  test(`${path}: a client that does not read costs bounded memory, and nobody else's time`, async () => {
    const other = await Wire.open(server)
    await other.send(`set big 0 0 ${MIB}\r\n${'v'.repeat(MIB)}\r\n`)
    await other.expect('STORED\r\n')
    const deaf = await DeafClient.open(server)
    const before = memoryOf(server)
    const requests = large
    deaf.send('get big\r\n'.repeat(requests))
    for (let i = 0; i < 50; i++) {
      await other.send('mn\r\n')
      await other.expect('MN\r\n')
    }
    const grown = memoryOf(server) - before
    assert.ok(grown < 64 * MIB, `grew by ${Math.round(grown / MIB)} MiB for ${requests} MiB asked for`)
    // And when it reads at last, it gets everything.
    deaf.listen()
    const all = requests * (`VALUE big 0 ${MIB}\r\n`.length + MIB + 2 + 'END\r\n'.length)
    await deaf.until(all)
    assert.equal(deaf.received, all)
    deaf.close()
    other.close()
  })

  test(`${path}: many requests of a client that does not read are answered in order, when it reads`, async () => {
    const other = await Wire.open(server)
    await other.send(`set some 0 0 2000\r\n${'v'.repeat(2000)}\r\n`)
    await other.expect('STORED\r\n')
    other.close()
    const deaf = await DeafClient.open(server)
    const requests = 10_000
    deaf.send('get some\r\n'.repeat(requests))
    await sleep(100)
    deaf.listen()
    const all = requests * (`VALUE some 0 2000\r\n`.length + 2000 + 2 + 'END\r\n'.length)
    await deaf.until(all)
    assert.equal(deaf.received, all)
    deaf.close()
  })

  test(`${path}: one get of many large values is sent in pieces`, async () => {
    const wire = await Wire.open(server)
    await wire.send(`set m 0 0 ${MIB}\r\n${'v'.repeat(MIB)}\r\n`)
    await wire.expect('STORED\r\n')
    const deaf = await DeafClient.open(server)
    const before = memoryOf(server)
    deaf.send(`get ${'m '.repeat(large / 2)}\r\nmn\r\n`)
    for (let i = 0; i < 50; i++) {
      await wire.send('mn\r\n')
      await wire.expect('MN\r\n')
    }
    const grown = memoryOf(server) - before
    assert.ok(grown < 64 * MIB, `grew by ${Math.round(grown / MIB)} MiB`)
    deaf.listen()
    const all = (large / 2) * (`VALUE m 0 ${MIB}\r\n`.length + MIB + 2) + 'END\r\nMN\r\n'.length
    await deaf.until(all)
    assert.equal(deaf.received, all)
    deaf.close()
    wire.close()
  })

  test(`${path}: an announced length costs nothing, and a refused one is swallowed`, async () => {
    const before = memoryOf(server)
    const wires: Wire[] = []
    for (let i = 0; i < 40; i++) {
      const wire = await Wire.open(server)
      await wire.send(`set a 0 0 ${2 * MIB - 1000}\r\nbegin`)
      wires.push(wire)
    }
    const huge = await Wire.open(server)
    await huge.send('set a 0 0 1073741824\r\n')
    await huge.expect('SERVER_ERROR object too large for cache\r\n')
    for (let i = 0; i < 8; i++) await huge.send(Buffer.alloc(MIB))
    assert.ok(memoryOf(server) - before < 32 * MIB)
    for (const wire of [...wires, huge]) wire.close()
    const wire = await Wire.open(server)
    await wire.send(`set a 0 0 1\r\nx\r\nset a 0 0 ${3 * MIB}\r\n${'y'.repeat(3 * MIB)}\r\nget a\r\nmn\r\n`)
    await wire.expect('STORED\r\nSERVER_ERROR object too large for cache\r\nEND\r\nMN\r\n')
    wire.close()
  })

  test(`${path}: a large value in small pieces arrives whole`, async () => {
    const wire = await Wire.open(server)
    const value = Buffer.alloc(300_000, 'abcdefghij')
    await wire.send(`set pieces 0 0 ${value.length}\r\n`)
    for (let at = 0; at < value.length; at += 30_011) await wire.send(value.subarray(at, at + 30_011))
    await wire.send('\r\nget pieces\r\n')
    await wire.expect(`STORED\r\nVALUE pieces 0 ${value.length}\r\n`)
    assert.deepEqual(Buffer.from(await wire.take(value.length)), value)
    await wire.expect('\r\nEND\r\n')
    wire.close()
  })

  test(`${path}: a half-closed client still gets its replies`, async () => {
    const wire = await Wire.open(server)
    await wire.send('set half 0 0 2\r\nhi\r\n')
    await wire.send('get half\r\n'.repeat(5000))
    wire.end()
    const reply = 'VALUE half 0 2\r\nhi\r\nEND\r\n'
    assert.equal((await wire.takeToClose()).toString('latin1'), `STORED\r\n${reply.repeat(5000)}`)
  })

  test(`${path}: one client that pipelines without end does not starve another`, async () => {
    const greedy = await DeafClient.open(server)
    const requests = 400_000
    greedy.listen()
    greedy.send('get nothing\r\n'.repeat(requests))
    const modest = await Wire.open(server)
    await greedy.until(1)
    await modest.send('mn\r\n')
    await modest.expect('MN\r\n')
    assert.ok(greedy.received < requests * 'END\r\n'.length, 'the small request waited for the whole flood')
    await greedy.until(requests * 'END\r\n'.length)
    greedy.close()
    modest.close()
  })

  test(`${path}: clients that vanish at any byte leave nothing behind`, async () => {
    const text = 'set gone 0 0 4\r\nabcd\r\nget gone\r\n'
    for (let cut = 0; cut < text.length; cut++) {
      const wire = await Wire.open(server)
      await wire.send(text.slice(0, cut))
      wire.close()
    }
    const wire = await Wire.open(server)
    for (;;) {
      await wire.send('stats\r\n')
      const stats = (await wire.takeUntil('END\r\n')).toString('latin1')
      if (stats.includes('STAT curr_connections 1\r\n')) break
      await sleep(10)
    }
    wire.close()
  })
}
