/** Two change the profile page at once. Whose change is lost, and who is told? */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { type Client, createClient, StaleFenceError, UpdateConflictError } from 'latchkey/client'
import { createLocks, memcached } from 'latchkey/locks'
import { requirePeer } from '../../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../../support/process.js'
import type { Editing } from './editor.js'
import { Gate } from './gate.js'
import { added, type Edit, readModifySet, threeTries, untilStored, update } from './recipes/profile.js'

const MEMCACHED = '/usr/bin/memcached'
const THREADS = 2
const LINES = 100
const noStep = async () => {}

let memcachedServer: ServerProcess | undefined

before(async () => {
  if (existsSync(MEMCACHED)) memcachedServer = await startMemcached()
})

after(() => memcachedServer?.stop())

interface Page {
  /** Each test has one of its own. */
  readonly key: string
  readonly server: string
  readonly one: Client<string>
  readonly other: Client<string>
}

let pages = 0

function onMemcached(name: string, run: (page: Page) => Promise<void>): void {
  test(name, async (t: TestContext) => {
    if (!requirePeer(t, MEMCACHED, 'apt install memcached')) return
    const server = `127.0.0.1:${memcachedServer!.port}`
    await using one = createClient({ servers: server })
    await using other = createClient({ servers: server })
    await run({ key: `profile:${++pages}`, server, one, other })
  })
}

/** Both have read before either writes. */
async function bothAtOnce(edit: Edit, { key, one, other }: Page): Promise<string[]> {
  const gates = [new Gate(), new Gate()]
  const edits = [edit(one, key, 'name', gates[0].step), edit(other, key, 'photo', gates[1].step)]
  for (const [i, gate] of gates.entries()) await gate.reachedBy(edits[i])
  for (const gate of gates) gate.open()
  await Promise.all(edits)
  return linesOf((await one.get(key)) ?? '')
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
    async ({ key, server, one }) => {
      const threads = Array.from({ length: THREADS }, (_, thread) => {
        const workerData: Editing = { server, key, edit: name as Editing['edit'], thread, lines: LINES }
        return new Worker(join(import.meta.dirname, 'editor.js'), { workerData })
      })
      for (const [code] of await Promise.all(threads.map((thread) => once(thread, 'exit')))) assert.equal(code, 0)
      const lines = linesOf((await one.get(key)) ?? '')
      assert.equal(new Set(lines).size, THREADS * LINES)
      assert.equal(lines.length, THREADS * LINES)
    },
  )
}

/** Somebody else is faster each time: `times` changes between a reading and its write, one for each try. */
async function disturbed(edit: Edit, { key, one, other }: Page, times: number): Promise<string[]> {
  let disturbances = 0
  await edit(one, key, 'photo', async () => {
    if (disturbances < times) await update(other, key, `name ${++disturbances}`, noStep)
  })
  return linesOf((await one.get(key)) ?? '')
}

onMemcached('compare-and-swap, three tries: a change is lost, and nobody is told', async (page) => {
  assert.deepEqual(await disturbed(threeTries, page, 3), ['name 1', 'name 2', 'name 3'])
})

onMemcached('ours: update goes on until it is stored', async (page) => {
  const lines = await disturbed(update, page, 10)
  assert.equal(lines.length, 11)
  assert.equal(lines.at(-1), 'photo')
})

onMemcached('ours: update that gives up says so', async ({ key, one, other }) => {
  const giveUp = one.update(
    key,
    async (profile) => {
      await update(other, key, 'name', noStep)
      return added(profile, 'photo')
    },
    { deadlineMs: 300 },
  )
  await assert.rejects(giveUp, UpdateConflictError)
  assert.ok(!(await one.get(key))!.includes('photo'))
})

test('ours, under a lock with fenced writes: who has slept past the lease cannot undo the change of the next', async () => {
  const latchkey = await startLatchkey({ threads: 2 })
  try {
    const key = 'profile'
    const servers = `127.0.0.1:${latchkey.port}`
    await using cache = createClient({ servers })
    await using locks = createLocks(memcached({ servers, freshServers: 'trust' }))
    await cache.set(key, added(undefined, 'born'))

    const first = await locks.acquire(key, { ttl: '500ms', renew: false })
    const seen = await cache.get(key)
    // The first one sleeps. Its lease ends, and the next one's turn comes.
    const second = await locks.acquire(key, { ttl: '30s', wait: '20s' })
    await cache.set(key, added(await cache.get(key), 'name'), { fence: second.fence })

    await assert.rejects(cache.set(key, added(seen, 'photo'), { fence: first.fence }), StaleFenceError)
    await assert.rejects(cache.delete(key, { fence: first.fence }), StaleFenceError)
    assert.deepEqual(linesOf((await cache.get(key))!), ['born', 'name'])
    await cache.set(key, added(await cache.get(key), 'city'), { fence: second.fence })
    assert.deepEqual(linesOf((await cache.get(key))!), ['born', 'name', 'city'])
    await second.release()
  } finally {
    await latchkey.stop()
  }
})
