/** The binary protocol among the others: which is spoken, who waits for a key, who watches, what is counted. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ServeOptions, type Server, serve } from 'latchkey/server'
import { extras, opcodes, type Response, request, set, takeResponse } from '../support/binary.js'
import { eventually } from '../support/eventually.js'
import { Wire } from '../support/wire.js'

const small = (options: ServeOptions = {}) =>
  serve({ port: 0, threads: 2, memory: '16mb', log: () => undefined, ...options })

async function ask(wire: Wire, frame: Buffer): Promise<Response> {
  await wire.send(frame)
  const response = await takeResponse(wire)
  assert.ok(response !== undefined, 'no response')
  return response
}

const noop = request({ opcode: opcodes.noop })

test('only what is allowed is spoken', async () => {
  await using ascii = await small({ protocol: 'ascii' })
  const refused = await Wire.open(ascii)
  await refused.send(noop)
  await refused.expectClosed()
  const text = await Wire.open(ascii)
  await text.send('mn\r\n')
  await text.expect('MN\r\n')
  text.close()

  await using binary = await small({ protocol: 'binary' })
  const line = await Wire.open(binary)
  await line.send('mn\r\n')
  await line.expectClosed()
  const wire = await Wire.open(binary)
  assert.equal((await ask(wire, noop)).status, 0)
  wire.close()
})

test('flush is refused where it is not allowed', async () => {
  await using server = await small({ allowFlush: false })
  const wire = await Wire.open(server)
  assert.equal((await ask(wire, request({ opcode: opcodes.flush }))).status, 0x20)
  assert.equal((await ask(wire, request({ opcode: opcodes.flushq }))).status, 0x20)
  wire.close()
})

test('a key that is deleted, or flushed, goes to who waits for it', async () => {
  await using server = await small()
  const [wire, waiter] = [await Wire.open(server), await Wire.open(server)]
  for (const [key, end] of [
    ['latchkey:lock:a', request({ opcode: opcodes.delete, key: 'latchkey:lock:a' })],
    ['latchkey:lock:b', request({ opcode: opcodes.deleteq, key: 'latchkey:lock:b' })],
    ['c', request({ opcode: opcodes.flush })],
  ] as const) {
    assert.equal((await ask(wire, set(key, 'mine'))).status, 0)
    await waiter.send(`ms ${key} 5 ME w60000\r\nyours\r\n`)
    await eventually('somebody waits', async () => (await waiting(wire)) === '1')
    await wire.send(Buffer.concat([end, noop]))
    while ((await takeResponse(wire))?.opcode !== opcodes.noop);
    await waiter.expect('HD w')
    await waiter.takeLine()
    assert.equal((await ask(wire, request({ opcode: opcodes.get, key }))).value, 'yours')
  }
  wire.close()
  waiter.close()
})

/** How many wait, as `stat locks` tells. */
async function waiting(wire: Wire): Promise<string | undefined> {
  await wire.send(request({ opcode: opcodes.stat, key: 'locks' }))
  let found: string | undefined
  for (let row = await takeResponse(wire); row?.key; row = await takeResponse(wire)) {
    if (row.key === 'waiters') found = row.value
  }
  return found
}

test('a lease that is too long is refused with its reason', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'latchkey-binary-'))
  try {
    await using server = await small({ stateDir, maxLeaseMs: 10_000 })
    const wire = await Wire.open(server)
    const add = (seconds: number, opcode = opcodes.add) =>
      request({ opcode, key: 'latchkey:lock:l', extras: extras(0, seconds), value: 'v' })
    const refused = await ask(wire, add(11))
    assert.equal(refused.status, 4)
    assert.match(refused.value, /^lease longer than \d+ ms: see --max-lease$/)
    assert.equal((await ask(wire, add(11, opcodes.addq))).status, 4)
    assert.equal((await ask(wire, request({ opcode: opcodes.get, key: 'latchkey:lock:l' }))).status, 1)
    assert.equal((await ask(wire, add(5))).status, 0)
    wire.close()
  } finally {
    rmSync(stateDir, { recursive: true })
  }
})

test('watchers are told what is done in frames, in lines that no key breaks', async () => {
  await using server = await small()
  const watcher = await Wire.open(server)
  await watcher.send('watch fetchers mutations deletions\r\n')
  await watcher.expect('OK\r\n')
  const wire = await Wire.open(server)
  const key = 'a\r\n b'
  // Threads take note of watchers at their next batch.
  await eventually('something is told', async () => {
    await ask(wire, set('tick', 'x'))
    await wire.send(noop)
    await takeResponse(wire)
    return watcher.peek().length > 0
  })
  await ask(wire, set(key, 'abc'))
  await ask(wire, request({ opcode: opcodes.getk, key }))
  await ask(wire, request({ opcode: opcodes.touch, key, extras: extras(100) }))
  await ask(wire, request({ opcode: opcodes.append, key, value: 'd' }))
  await ask(wire, request({ opcode: opcodes.delete, key }))
  const shown = 'key=a%0D%0A%20b'
  for (const wanted of [
    `type=item_store ${shown} status=stored cmd=set`,
    `type=item_get ${shown} status=found`,
    `type=item_get ${shown} status=found`,
    `type=item_store ${shown} status=stored cmd=append`,
    `type=deleted ${shown} cmd=delete`,
  ]) {
    let line = ''
    while (!line.includes(shown)) {
      line = (await watcher.takeLine()).toString()
      assert.notEqual(line, '', `no ${wanted}`)
    }
    assert.ok(line.includes(wanted), `${line} should have ${wanted}`)
  }
  watcher.close()
  wire.close()
})

const both: [text: string, frame: Buffer][] = [
  ['set a 0 0 1\r\n1\r\n', set('a', '1')],
  ['add a 0 0 1\r\n1\r\n', set('a', '1', opcodes.add)],
  ['append a 0 0 1\r\n1\r\n', request({ opcode: opcodes.append, key: 'a', value: '1' })],
  ['cas a 0 0 1 5\r\n1\r\n', request({ opcode: opcodes.set, key: 'a', value: '1', extras: extras(0, 0), cas: 5n })],
  [
    'cas none 0 0 1 5\r\n1\r\n',
    request({ opcode: opcodes.set, key: 'none', value: '1', extras: extras(0, 0), cas: 5n }),
  ],
  ['get a\r\n', request({ opcode: opcodes.get, key: 'a' })],
  ['get none\r\n', request({ opcode: opcodes.get, key: 'none' })],
  ['gat 0 a\r\n', request({ opcode: opcodes.gat, key: 'a', extras: extras(0) })],
  ['gat 0 none\r\n', request({ opcode: opcodes.gat, key: 'none', extras: extras(0) })],
  ['touch a 0\r\n', request({ opcode: opcodes.touch, key: 'a', extras: extras(0) })],
  ['touch none 0\r\n', request({ opcode: opcodes.touch, key: 'none', extras: extras(0) })],
  ['incr a 1\r\n', request({ opcode: opcodes.incr, key: 'a', extras: extras(1n, 0n, 0xffffffff) })],
  ['decr a 1\r\n', request({ opcode: opcodes.decr, key: 'a', extras: extras(1n, 0n, 0xffffffff) })],
  ['incr none 1\r\n', request({ opcode: opcodes.incr, key: 'none', extras: extras(1n, 0n, 0xffffffff) })],
  ['decr none 1\r\n', request({ opcode: opcodes.decr, key: 'none', extras: extras(1n, 0n, 0xffffffff) })],
  ['delete a\r\n', request({ opcode: opcodes.delete, key: 'a' })],
  ['delete a\r\n', request({ opcode: opcodes.delete, key: 'a' })],
  [`set a 0 0 2000000\r\n${'x'.repeat(2_000_000)}\r\n`, set('a', 'x'.repeat(2_000_000))],
  ['flush_all\r\n', request({ opcode: opcodes.flush })],
]

test('what is counted of text is counted of frames', async () => {
  await using one = await small()
  await using other = await small()
  const [text, wire] = [await Wire.open(one), await Wire.open(other)]
  for (const [command, frame] of both) {
    const before = [await counters(one), await counters(other)]
    await text.send(`${command}mn\r\n`)
    await text.takeUntil('MN\r\n')
    await ask(wire, frame)
    const byText = delta(before[0], await counters(one))
    assert.notDeepEqual(byText, {}, command)
    assert.deepEqual(delta(before[1], await counters(other)), byText, command.slice(0, 40))
  }
  text.close()
  wire.close()
})

const COUNTED = /^STAT ((?:cmd|get|touch|cas|incr|decr|delete|store)_\w+|total_items) (\d+)\r$/gm

async function counters(server: Server): Promise<Map<string, number>> {
  const wire = await Wire.open(server)
  await wire.send('stats\r\n')
  const stats = (await wire.takeUntil('END\r\n')).toString('latin1')
  wire.close()
  return new Map([...stats.matchAll(COUNTED)].map(([, name, value]) => [name, Number(value)]))
}

function delta(before: Map<string, number>, now: Map<string, number>): Record<string, number> {
  const changed = [...now].map(([name, value]) => [name, value - (before.get(name) ?? 0)] as const)
  return Object.fromEntries(changed.filter(([, difference]) => difference !== 0))
}
