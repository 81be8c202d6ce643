/** What may take long is answered one a turn, in either protocol: others are served in between. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Server, serve } from 'latchkey/server'
import { extras, opcodes, request } from '../support/binary.js'
import { Wire } from '../support/wire.js'

const many = 20

async function yields(server: Server): Promise<number> {
  const wire = await Wire.open(server)
  await wire.send('stats\r\n')
  const text = (await wire.takeUntil('END\r\n')).toString('latin1')
  wire.close()
  return Number(/conn_yields (\d+)/.exec(text)?.[1])
}

/** How often the connection gave way while it had these answered, which fit in one packet. */
async function yieldsOf(server: Server, requests: string): Promise<number> {
  const before = await yields(server)
  const wire = await Wire.open(server)
  await wire.send(requests)
  await wire.takeToClose()
  return (await yields(server)) - before
}

test('orders about the server have a turn each', async () => {
  await using server = await serve({ port: 0, threads: 1, memory: '16mb', log: () => undefined })
  for (const order of ['stats slabs', 'stats', 'flush_all', 'flush_all noreply', 'lru_crawler crawl all'])
    assert.ok((await yieldsOf(server, `${`${order}\r\n`.repeat(many)}quit\r\n`)) >= many - 1, order)
  assert.equal(await yieldsOf(server, `${'version\r\n'.repeat(many)}quit\r\n`), 0)
  const quit = request({ opcode: opcodes.quit })
  for (const parts of [
    { opcode: opcodes.stat },
    { opcode: opcodes.stat, key: 'slabs' },
    { opcode: opcodes.flush },
    { opcode: opcodes.flushq, extras: extras(0) },
  ]) {
    const frames = Buffer.concat([Buffer.alloc(request(parts).length * many, request(parts)), quit])
    assert.ok((await yieldsOf(server, frames.toString('latin1'))) >= many - 1, JSON.stringify(parts))
  }
})
