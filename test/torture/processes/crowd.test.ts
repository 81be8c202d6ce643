/** A record that is to be crowded out goes, whatever its size: also where memory is divided by size. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from 'latchkey/client'
import { crowdOut } from '#dist/torture/processes/crowd.js'
import { CrowdedServer } from '#dist/torture/processes/crowded-server.js'
import { requirePeer } from '../../support/peers.js'
import { startMemcached } from '../../support/process.js'

/** The sizes of memcached's chunks, and about what an item takes beside its value. */
const chunks = [120, 152, 192]
const BESIDE_BYTES = 63

test('the smallest and the largest of each size of chunk', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  const server = await startMemcached(['-m', '2'])
  const crowded = new CrowdedServer(server)
  try {
    await using client = createClient({ servers: `${server.host}:${server.port}` })
    for (const bytes of chunks.flatMap((chunk) => [chunk, chunk + 1])) {
      await client.set('lock', 'x'.repeat(bytes - BESIDE_BYTES))
      assert.equal(await crowded.sizeOf('lock'), bytes)
      await crowdOut(crowded, 'lock')
      assert.equal(await client.get('lock'), undefined, `${bytes} bytes`)
    }
  } finally {
    await crowded.close()
    await server.stop()
  }
})
