/** Transcripts of the binary protocol against Latchkey with one thread and with four, and against Debian's memcached. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { requirePeer } from '../../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../../support/process.js'
import { projectRoot } from '../../support/root.js'
import { Wire } from '../../support/wire.js'
import type { Delivery } from '../play.js'
import { hasSleeps, readTranscript, type Target } from '../transcript.js'
import { parseStep } from './notation.js'
import { BinaryPlayer } from './play.js'

const folder = join(projectRoot, 'test/conformance/transcripts-binary')

for (const threads of [1, 4]) {
  test(`latchkey -t ${threads}, binary`, async (t) => {
    await playAll(t, await startLatchkey({ threads }), 'latchkey', ['steps', 'bytes', 'batch'])
  })
}

test('memcached 1.6.18, binary', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  await playAll(t, await startMemcached(), '1.6.18', ['steps'])
})

async function playAll(t: TestContext, server: ServerProcess, target: Target, deliveries: Delivery[]): Promise<void> {
  try {
    for (const name of readdirSync(folder).sort()) {
      const transcript = readTranscript(name, readFileSync(join(folder, name), 'latin1'), target, parseStep)
      for (const delivery of hasSleeps(transcript) ? (['steps'] as const) : deliveries) {
        if (delivery === 'batch' && transcript.noBatch !== undefined) continue
        await t.test(`${name}, ${delivery}`, async () => {
          await empty(server)
          await new BinaryPlayer(server, delivery).play(transcript)
        })
      }
    }
  } finally {
    await server.stop()
  }
}

/** Asking for the counts by prefix sees to it that every thread has forgotten the old ones. */
async function empty(server: ServerProcess): Promise<void> {
  const wire = await Wire.open(server)
  await wire.send('flush_all\r\nstats reset\r\n')
  await wire.expect('OK\r\nRESET\r\n')
  await wire.send('stats detail dump\r\n')
  await wire.expect('END\r\n')
  wire.close()
}
