/** Binary clients that are slow, greedy or gone, and a server that stops: what holds for text holds for them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { serve } from 'latchkey/server'
import { extras, opcodes, request, set, takeResponse } from '../support/binary.js'
import { type ServerProcess, startLatchkey } from '../support/process.js'
import { Wire } from '../support/wire.js'
import { DeafClient } from './deaf-client.js'

const MIB = 1_048_576
const HEADER = 24
const FLAGS = 4

const noop = request({ opcode: opcodes.noop })
const get = (key: string) => request({ opcode: opcodes.get, key })

let server: ServerProcess

before(async () => {
  server = await startLatchkey({ threads: 1, args: ['-I', '2m'] })
})
after(async () => {
  assert.equal(await server.stop(), 0)
})

/** Resident memory of the server, in bytes. */
function memory(): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))
  return Number(match?.[1]) * 1024
}

async function store(wire: Wire, key: string, value: string): Promise<void> {
  await wire.send(set(key, value))
  assert.equal((await takeResponse(wire))?.status, 0)
}

test('a client that does not read costs bounded memory, and nobody else’s time', async () => {
  const other = await Wire.open(server)
  await store(other, 'big', 'v'.repeat(MIB))
  const deaf = await DeafClient.open(server)
  const start = memory()
  const requests = 300
  deaf.send(Buffer.concat(Array.from({ length: requests }, () => get('big'))))
  for (let i = 0; i < 50; i++) {
    await other.send(noop)
    assert.equal((await takeResponse(other))?.opcode, opcodes.noop)
  }
  const grown = memory() - start
  assert.ok(grown < 64 * MIB, `grew by ${Math.round(grown / MIB)} MiB for ${requests} MiB asked for`)
  deaf.listen()
  const all = requests * (HEADER + FLAGS + MIB)
  await deaf.until(all)
  assert.equal(deaf.received, all)
  deaf.close()
  other.close()
})

test('an announced length costs nothing, and a refused value is swallowed', async () => {
  const start = memory()
  const wires: Wire[] = []
  for (let i = 0; i < 40; i++) {
    const wire = await Wire.open(server)
    await wire.send(
      request({ opcode: opcodes.set, key: 'a', extras: extras(0, 0), value: 'x', bodyLength: 2 * MIB - 1000 }),
    )
    wires.push(wire)
  }
  const huge = await Wire.open(server)
  await huge.send(request({ opcode: opcodes.set, key: 'a', extras: extras(0, 0), bodyLength: 1024 * MIB }))
  assert.equal((await takeResponse(huge))?.status, 3)
  for (let i = 0; i < 8; i++) await huge.send(Buffer.alloc(MIB))
  assert.ok(memory() - start < 32 * MIB)
  for (const wire of [...wires, huge]) wire.close()
})

test('one client that pipelines without end does not starve another, though nothing is answered to it', async () => {
  const greedy = await DeafClient.open(server)
  greedy.listen()
  const requests = 300_000
  const silent = request({ opcode: opcodes.getq, key: 'nothing' })
  greedy.send(Buffer.concat([noop, Buffer.alloc(requests * silent.length, silent), noop]))
  const modest = await Wire.open(server)
  await greedy.until(HEADER)
  await modest.send(noop)
  assert.equal((await takeResponse(modest))?.opcode, opcodes.noop)
  assert.equal(greedy.received, HEADER, 'the small request waited for the whole flood')
  await greedy.until(2 * HEADER)
  greedy.close()
  modest.close()
})

test('a large value in small pieces arrives whole', async () => {
  const wire = await Wire.open(server)
  const value = 'abcdefghij'.repeat(30_000)
  const frame = set('pieces', value)
  for (let at = 0; at < frame.length; at += 30_011) await wire.send(frame.subarray(at, at + 30_011))
  assert.equal((await takeResponse(wire))?.status, 0)
  await wire.send(get('pieces'))
  assert.ok((await takeResponse(wire))?.value === value)
  wire.close()
})

test('a half-closed client still gets its responses, and half a frame is no request', async () => {
  const wire = await Wire.open(server)
  await store(wire, 'half', 'hi')
  const requests = 5000
  await wire.send(Buffer.concat([Buffer.alloc(requests * get('half').length, get('half')), noop.subarray(0, 20)]))
  wire.end()
  assert.equal((await wire.takeToClose()).length, requests * (HEADER + FLAGS + 2))
})

test('a server that stops answers what it has read, and closes', async () => {
  const stopping = await serve({ port: 0, threads: 2, memory: '16mb', log: () => undefined })
  const wire = await Wire.open(stopping)
  await store(wire, 'last', 'word')
  const idle = await Wire.open(stopping)
  await idle.send(noop.subarray(0, 10))
  await wire.send(get('last'))
  assert.equal((await takeResponse(wire))?.value, 'word')
  await Promise.all([stopping.close(), wire.expectClosed(), idle.expectClosed()])
})

test('an idle connection is closed, and all are listed', async () => {
  await using idling = await serve({ port: 0, threads: 1, memory: '16mb', idleTimeoutSeconds: 1, log: () => undefined })
  const wires = [await Wire.open(idling), await Wire.open(idling)]
  for (const wire of wires) {
    await wire.send(noop)
    await takeResponse(wire)
  }
  await wires[0].send(request({ opcode: opcodes.stat, key: 'conns' }))
  let clients = 0
  for (let row = await takeResponse(wires[0]); row?.key; row = await takeResponse(wires[0])) {
    if (row.key.endsWith(':state') && row.value !== 'conn_listening') clients++
  }
  assert.equal(clients, 2)
  for (const wire of wires) await wire.expectClosed()
})
