/** Two change the profile page at once. Whose change is lost, and who is told? */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { type Client, createClient, StaleFenceError, UpdateConflictError } from 'latchkey/client'
import { createLocks, memcached } from 'latchkey/locks'
import { requirePeer } from '../../support/peers.js'
import { startLatchkey, startMemcached } from '../../support/process.js'
import type { Editing } from './editor.js'
import { Gate } from './gate.js'
import { added, type Edit, readModifySet, threeTries, untilStored, update } from './recipes/profile.js'

const KEY = 'profile:7'
const THREADS = 2
const LINES = 100
const noStep = async () => {}

interface Page {
  readonly server: string
  readonly one: Client<string>
  readonly other: Client<string>
}

function onMemcached(name: string, run: (page: Page) => Promise<void>): void {
  test(name, async (t: TestContext) => {
    if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
    const memcached = await startMemcached()
    const server = `127.0.0.1:${memcached.port}`
    try {
      await using one = createClient({ servers: server })
      await using other = createClient({ servers: server })
      await run({ server, one, other })
    } finally {
      await memcached.stop()
    }
  })
}

/** Both have read before either writes. */
async function bothAtOnce(edit: Edit, { one, other }: Page): Promise<string[]> {
  const gates = [new Gate(), new Gate()]
  const edits = [edit(one, KEY, 'name', gates[0].step), edit(other, KEY, 'photo', gates[1].step)]
  for (const [i, gate] of gates.entries()) await gate.reachedBy(edits[i])
  for (const gate of gates) gate.open()
  await Promise.all(edits)
  return linesOf((await one.get(KEY)) ?? '')
}

const linesOf = (profile: string) => profile.split('\n').filter((line) => line !== '')

onMemcached('read, modify, set: one change is lost', async (page) => {
  assert.equal((await bothAtOnce(readModifySet, page)).length, 1)
})

for (const [name, edit] of Object.entries({ update, untilStored })) {
  onMemcached(`ours: with ${name} both changes are there`, async (page) => {
    assert.deepEqual((await bothAtOnce(edit, page)).sort(), ['name', 'photo'])
  })

  onMemcached(
    `ours: ${name} in ${THREADS} threads, ${LINES} lines each, and no line is lost`,
    async ({ server, one }) => {
      const threads = Array.from({ length: THREADS }, (_, thread) => {
        const workerData: Editing = { server, key: KEY, edit: name as Editing['edit'], thread, lines: LINES }
        return new Worker(join(import.meta.dirname, 'editor.js'), { workerData })
      })
      for (const [code] of await Promise.all(threads.map((thread) => once(thread, 'exit')))) assert.equal(code, 0)
      const lines = linesOf((await one.get(KEY)) ?? '')
      assert.equal(new Set(lines).size, THREADS * LINES)
      assert.equal(lines.length, THREADS * LINES)
    },
  )
}

/** Somebody else is faster each time: `times` changes between a reading and its write, one for each try. */
async function disturbed(edit: Edit, { one, other }: Page, times: number): Promise<string[]> {
  let disturbances = 0
  await edit(one, KEY, 'photo', async () => {
    if (disturbances < times) await update(other, KEY, `name ${++disturbances}`, noStep)
  })
  return linesOf((await one.get(KEY)) ?? '')
}

onMemcached('compare-and-swap, three tries: a change is lost, and nobody is told', async (page) => {
  assert.deepEqual(await disturbed(threeTries, page, 3), ['name 1', 'name 2', 'name 3'])
})

onMemcached('ours: update goes on until it is stored', async (page) => {
  const lines = await disturbed(update, page, 10)
  assert.equal(lines.length, 11)
  assert.equal(lines.at(-1), 'photo')
})

onMemcached('ours: update that gives up says so', async ({ one, other }) => {
  const giveUp = one.update(
    KEY,
    async (profile) => {
      await update(other, KEY, 'name', noStep)
      return added(profile, 'photo')
    },
    { deadlineMs: 300 },
  )
  await assert.rejects(giveUp, UpdateConflictError)
  assert.ok(!(await one.get(KEY))!.includes('photo'))
})

test('ours, under a lock with fenced writes: who has slept past the lease cannot undo the change of the next', async () => {
  const latchkey = await startLatchkey({ threads: 2 })
  try {
    const servers = `127.0.0.1:${latchkey.port}`
    await using cache = createClient({ servers })
    await using locks = createLocks(memcached({ servers, freshServers: 'trust' }))
    await cache.set(KEY, added(undefined, 'born'))

    const first = await locks.acquire(KEY, { ttl: '500ms', renew: false })
    const seen = await cache.get(KEY)
    // The first one sleeps. Its lease ends, and the next one's turn comes.
    const second = await locks.acquire(KEY, { ttl: '30s', wait: '20s' })
    await cache.set(KEY, added(await cache.get(KEY), 'name'), { fence: second.fence })

    await assert.rejects(cache.set(KEY, added(seen, 'photo'), { fence: first.fence }), StaleFenceError)
    await assert.rejects(cache.delete(KEY, { fence: first.fence }), StaleFenceError)
    assert.deepEqual(linesOf((await cache.get(KEY))!), ['born', 'name'])
    await cache.set(KEY, added(await cache.get(KEY), 'city'), { fence: second.fence })
    assert.deepEqual(linesOf((await cache.get(KEY))!), ['born', 'name', 'city'])
    await second.release()
  } finally {
    await latchkey.stop()
  }
})
