/** Many waits for locks, each on a duplicate of a client of many servers: a duplicate costs what it is asked for, not what there is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientClosedError, createClient, type Session } from 'latchkey/client'

const SERVERS = 300
const DUPLICATES = 50
/** Of one ring of so many servers, in arrays: 156 points of each, eight bytes a point. */
const RING_BYTES = SERVERS * 156 * 8

const servers = Array.from({ length: SERVERS }, (_, i) => `10.0.${i >> 8}.${i & 255}:11211`)

test('duplicates share the ring', async () => {
  const client = createClient({ servers })
  const before = process.memoryUsage().arrayBuffers
  const duplicates = Array.from({ length: DUPLICATES }, () => client.duplicate())
  const grown = process.memoryUsage().arrayBuffers - before
  assert.ok(grown < 2 * RING_BYTES, `${DUPLICATES} duplicates took ${grown} bytes`)
  for (const key of ['a', 'b', 'c']) assert.equal(duplicates[7].serverOf(key), client.serverOf(key))
  await Promise.all([client, ...duplicates].map((each) => each.close()))
})

test('a client that is closed before it was asked for anything refuses everything', async () => {
  const client = createClient({ servers })
  await client.close()
  await assert.rejects(client.get('k'), ClientClosedError)
  const elsewhere: Session = {
    server: servers[299],
    id: 1,
    version: '',
    meta: true,
    compareAndDelete: true,
    latchkey: false,
  }
  await assert.rejects(client.get('k', { session: elsewhere }), ClientClosedError)
  await client.duplicate().hangUp()
})
