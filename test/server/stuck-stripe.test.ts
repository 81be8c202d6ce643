/** A stripe that cannot be had, as when the thread that holds it stands still: a server's error, and never the end of a thread. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Server, serve } from 'latchkey/server'
import { Table } from 'latchkey/store'
import { Stripe } from '#dist/store/layout.js'
import { ownerWord } from '#dist/store/lock.js'
import { Memory } from '#dist/store/memory.js'
import { opcodes, request, takeResponse } from '../support/binary.js'
import { Wire } from '../support/wire.js'

/** The server asks its table how large it is, and so shows it. */
function memoryOf(server: Server): Memory {
  const { stats } = Table.prototype
  let found: Table | undefined
  Table.prototype.stats = function (this: Table) {
    found = this
    return stats.call(this)
  }
  void server.memoryBytes
  Table.prototype.stats = stats
  assert.ok(found !== undefined)
  return new Memory(found.handle.memory)
}

/** The main thread holds all stripes, or gives them back. */
function holdAll(memory: Memory, word: number): void {
  for (let stripe = 0; stripe < memory.stripes; stripe++)
    Atomics.store(memory.control, memory.stripeAt(stripe) + Stripe.Lock, word)
}

const tooLarge = 'v'.repeat(2_000_000)

test('what needs a stripe that is stuck is refused, whatever it is, and the connection goes on', async () => {
  const words: string[] = []
  await using server = await serve({ port: 0, threads: 1, memory: '16mb', log: (text) => words.push(text) })
  const wire = await Wire.open(server)
  await wire.send('set a 0 0 1\r\nx\r\n')
  await wire.expect('STORED\r\n')
  const memory = memoryOf(server)
  for (const order of [
    'get a',
    `set a 0 0 ${tooLarge.length}\r\n${tooLarge}`,
    'lru_crawler metadump all',
    'stats sizes',
  ]) {
    holdAll(memory, ownerWord(0))
    await wire.send(`${order}\r\n`)
    assert.match((await wire.takeLine()).toString(), /^SERVER_ERROR /, order.slice(0, 30))
    holdAll(memory, 0)
    await wire.send('mn\r\n')
    await wire.expect('MN\r\n')
  }
  const binary = await Wire.open(server)
  holdAll(memory, ownerWord(0))
  await binary.send(request({ opcode: opcodes.get, key: 'a' }))
  assert.equal((await takeResponse(binary))?.status, 0x84)
  holdAll(memory, 0)
  await binary.send(request({ opcode: opcodes.get, key: 'a' }))
  assert.equal((await takeResponse(binary))?.value, 'x')
  assert.deepEqual(words, [])
})
