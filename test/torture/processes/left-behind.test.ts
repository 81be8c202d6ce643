/** Nothing is left behind: no process, no file, no key on servers that others use. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { createClient } from 'latchkey/client'
import { type Incident, processes } from 'latchkey/torture'
import { eventually } from '../../support/eventually.js'
import { requirePeer } from '../../support/peers.js'
import { requirePostgres } from '../../support/postgres.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../../support/process.js'
import { Wire } from '../../support/wire.js'
import { Family } from './family.js'
import { lost, outcomes, overlaps, tiny } from './tiny-plan.js'

const catalogue = new URL('./tiny.js', import.meta.url).href
const program = join(import.meta.dirname, 'lab-program.js')

async function withFamily(args: readonly unknown[], run: (family: Family) => Promise<void>): Promise<void> {
  const family = new Family(
    program,
    args.map((each) => JSON.stringify(each)),
  )
  try {
    await run(family)
  } finally {
    family.end()
  }
}

/** A participant is stopped, and a server, for longer than anybody waits. */
const stopped: readonly Incident[] = [
  { at: 100, what: 'pause', who: 0, ms: 60_000 },
  { at: 200, what: 'server-pause', server: 0, ms: 60_000 },
]
const endless = tiny('tiny-ours-latchkey', 'server-pause', { workMs: 60_000, lengthMs: 60_000, incidents: stopped })

async function gone(family: Family): Promise<void> {
  await eventually('all have ended', async () => family.members().length === 0)
  assert.deepEqual(family.files(), [])
}

describe('left behind', { concurrency: 3 }, () => {
  test('nothing, when a laboratory is closed', () =>
    withFamily([tiny('tiny-ours-latchkey', 'none'), {}], async (family) => {
      const [code] = await once(family.head, 'exit')
      assert.equal(code, 0)
      assert.deepEqual([family.members(), family.files()], [[], []])
    }))

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
    test(`nothing, when it ends by ${signal} while some are stopped`, () =>
      withFamily([endless, {}], async (family) => {
        const isStopped = ({ state }: { state: string }) => state === 'T'
        await eventually('two are stopped', async () => family.members().filter(isStopped).length === 2)
        assert.ok(family.members().length >= 6, 'three participants, a server, the undertaker and the laboratory')
        assert.notDeepEqual(family.files(), [])
        family.head.kill(signal)
        await gone(family)
      }))
  }

  test('nothing, when it is killed while a server of many processes is stopped', async (t) => {
    if (!requirePostgres(t)) return
    await withFamily([{ ...endless, algorithm: 'tiny-ours-postgres' }, {}], async (family) => {
      const areStopped = () => family.members().filter(({ state }) => state === 'T').length > 4
      await eventually('PostgreSQL is stopped', async () => areStopped())
      family.head.kill('SIGKILL')
      await gone(family)
    })
  })

  test('nothing, when a participant ends that should not', () =>
    withFamily([tiny('tiny-exit', 'none'), {}], async (family) => {
      family.head.stderr?.resume()
      const [code] = await once(family.head, 'exit')
      assert.notEqual(code, 0)
      await gone(family)
    }))
})

const kinds: Record<string, (t: TestContext) => Promise<ServerProcess | undefined>> = {
  Latchkey: () => startLatchkey({ threads: 1 }),
  memcached: async (t) => (requirePeer(t, '/usr/bin/memcached') ? startMemcached() : undefined),
}

const address = ({ host, port }: ServerProcess) => `${host}:${port}`

/** What is there, when nobody else is. */
async function keysOn(server: ServerProcess): Promise<string[]> {
  await using client = createClient({ servers: address(server) })
  const keys: string[] = []
  for await (const { key } of client.keys()) keys.push(String(key))
  return keys
}

async function flushesOn(server: ServerProcess): Promise<string> {
  await using client = createClient({ servers: address(server) })
  return [...(await client.stats()).values()][0].cmd_flush
}

/** Keys that were changed, as the server itself tells. */
async function watching(server: ServerProcess): Promise<{ keys(): Set<string>; stop(): void }> {
  const wire = await Wire.open(server)
  await wire.send('watch mutations\r\n')
  await wire.expect('OK\r\n')
  return {
    keys() {
      const found = wire
        .peek()
        .toString('latin1')
        .matchAll(/ key=(\S+)/g)
      return new Set([...found].map(([, key]) => decodeURIComponent(key)))
    },
    stop: () => wire.close(),
  }
}

describe('servers of others', { concurrency: 2 }, () => {
  for (const [name, start] of Object.entries(kinds)) {
    test(`${name}: nothing is written outside of the prefix, nothing is flushed, and nothing is left`, async (t) => {
      const server = await start(t)
      if (server === undefined) return
      const laboratory = await processes({ catalogue, servers: [address(server)] })
      const watch = await watching(server)
      try {
        await using client = createClient({ servers: address(server) })
        await client.set('theirs', 'value')
        const plans = ['tiny-add', 'tiny-cas', 'tiny-ours-memcached'].map((each) =>
          tiny(each, 'none', { rounds: 2, workMs: 20 }),
        )
        const held = { participants: 2, laterMs: 50, workMs: 300 }
        const crash: Incident = { at: 150, what: 'crash', who: 0 }
        const histories = await Promise.all([
          ...plans.map((plan) => laboratory.run(plan)),
          laboratory.run(tiny('tiny-ours-memcached', 'crash', { ...held, incidents: [crash] })),
          laboratory.run(tiny('tiny-add', 'crash', { ...held, ttlMs: 60_000, waitMs: 500, incidents: [crash] })),
        ])
        for (const history of histories.slice(0, 4)) {
          assert.deepEqual([overlaps(history), lost(history)], [[], []])
          assert.ok(outcomes(history).includes('done'))
        }
        assert.deepEqual(await keysOn(server), ['theirs'])
        assert.equal(await client.get('theirs'), 'value')
        assert.equal(await flushesOn(server), '0')
        await eventually('all is told', async () => watch.keys().size > histories.length)
        for (const key of watch.keys()) assert.match(key, /^(theirs$|latchkey:torture:[0-9a-f]{8}:)/)
      } finally {
        watch.stop()
        await laboratory.close()
        await server.stop()
      }
    })

    test(`${name}: nothing is left when the laboratory is killed`, async (t) => {
      const server = await start(t)
      if (server === undefined) return
      try {
        const plan = tiny('tiny-ours-memcached', 'none', { workMs: 60_000, ttlMs: 60_000, lengthMs: 60_000 })
        await withFamily([plan, { servers: [address(server)] }], async (family) => {
          await eventually('the lock is there', async () => (await keysOn(server)).length > 0)
          family.head.kill('SIGKILL')
          await gone(family)
          assert.deepEqual(await keysOn(server), [])
        })
      } finally {
        await server.stop()
      }
    })
  }

  test('one that cannot be reached is told of before anything starts', async () => {
    const server = await startLatchkey({ threads: 1 })
    await server.stop()
    const wrong = { name: 'LaboratoryError', message: new RegExp(`${address(server)} cannot be reached`) }
    await assert.rejects(processes({ catalogue, servers: [address(server)] }), wrong)
    await assert.rejects(processes({ catalogue, servers: ['no such host'] }), { name: 'LaboratoryError' })
    await assert.rejects(processes({ catalogue, servers: [] }), { name: 'LaboratoryError' })
  })
})
