/** memcached that evicts nothing and has no memory left: who asks in vain for a lock leaves the one that is held alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from 'latchkey/client'
import { LockUnavailableError, memcached } from 'latchkey/locks'
import { requirePeer } from '../../support/peers.js'
import { startMemcached } from '../../support/process.js'
import { call, claimOf, held, ownerOf } from './case.js'

const key = 'latchkey:lock:a'

for (const protocol of ['auto', 'classic'] as const) {
  for (const guarantee of ['lease', 'fenced'] as const) {
    test(`full: asking and extending in vain takes nothing away (${protocol}, ${guarantee})`, async (t) => {
      if (!requirePeer(t, '/usr/bin/memcached')) return
      const server = await startMemcached(['-M', '-m', '2'])
      const servers = `${server.host}:${server.port}`
      const [mine, theirs] = [1, 2].map(() => memcached({ servers, protocol, freshServers: 'trust' }))
      try {
        const lease = held(await mine.claim(claimOf(key, { guarantee }), call))
        await fill(servers)
        for (let i = 0; i < 5; i++) {
          // It may say that another has it, or that there is no memory: either way it is left alone.
          const asked = await theirs.claim(claimOf(key, { guarantee }), call).catch((error) => error)
          if (asked instanceof Error) assert.ok(asked instanceof LockUnavailableError, `${asked}`)
          else assert.equal(asked.status, 'busy')
          const stale = { ...lease, version: (lease.version as bigint) + 1n }
          assert.equal(await theirs.extend(stale, 30_000, call).catch(() => undefined), undefined)
        }
        assert.equal(await ownerOf(mine, key), lease.holder.owner)
        assert.equal(await mine.release(key, lease.version, call), true)
      } finally {
        await Promise.all([mine.close(), theirs.close()])
        await server.stop()
      }
    })
  }
}

/** Items of many sizes about a record's, until no one of them finds memory. */
async function fill(servers: string): Promise<void> {
  const client = createClient({ servers })
  try {
    let refused = 0
    for (let i = 0; refused < 20; i++) {
      const stored = await client.set(`fill:${i}`, 'x'.repeat(60 + (i % 5) * 40)).catch(() => false)
      refused = stored ? 0 : refused + 1
    }
  } finally {
    await client.close()
  }
}
