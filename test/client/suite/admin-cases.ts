import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient, UnsupportedError } from 'latchkey/client'
import { type Case, needsMeta } from './case.js'

export const adminCases: readonly Case[] = [
  {
    name: 'version and stats of every server, by its name',
    run: async ({ client, servers }) => {
      const versions = await client.version()
      assert.deepEqual([...versions.keys()].sort(), [...servers].sort())
      for (const version of versions.values()) assert.match(version, /^\d+\.\d+\.\d+/)
      const stats = await client.stats()
      assert.deepEqual([...stats.keys()].sort(), [...servers].sort())
      for (const each of stats.values()) assert.match(each.curr_items, /^\d+$/)
    },
  },
  {
    name: 'serverOf tells where a key lives',
    run: async ({ client, create, servers, kind, prefix }) => {
      const keys = Array.from({ length: 60 }, (_, i) => `k${i}`)
      for (const key of keys) await client.set(key, 'v')
      const used = new Set(keys.map((key) => client.serverOf(key)))
      assert.deepEqual([...used].sort(), [...servers].sort())
      for (const server of servers) {
        await using alone = createClient({ ...kind.options, servers: server, keyPrefix: prefix })
        const found = await alone.getMany(keys)
        assert.deepEqual([...found.keys()].sort(), keys.filter((key) => client.serverOf(key) === server).sort())
      }
      const reversed = create()
      for (const key of keys) assert.equal(reversed.serverOf(key), client.serverOf(key))
    },
  },
  {
    name: 'meta commands as they are',
    skip: needsMeta,
    run: async ({ client }) => {
      assert.deepEqual(await client.meta('mg', 'k', ['v']), { status: 'EN', flags: [] })
      assert.equal((await client.meta('ms', 'k', ['T0', 'F5'], 'value')).status, 'HD')
      const hit = await client.meta('mg', 'k', ['v', 'f', 's'])
      assert.deepEqual([hit.status, hit.flags, hit.value?.toString()], ['VA', ['f5', 's5'], 'value'])
      assert.equal((await client.meta('ms', 'k', ['ME'], Buffer.from('other'))).status, 'NS')
      assert.equal((await client.meta('ms', 'k', ['C1'], 'other')).status, 'EX')
      assert.equal((await client.meta('ma', 'n', ['N0', 'J7', 'v'])).value?.toString(), '7')
      assert.match((await client.meta('me', 'k')).status, /^ME$/)
      assert.equal((await client.meta('md', 'k')).status, 'HD')
      assert.equal((await client.meta('md', 'k')).status, 'NF')
      assert.equal((await client.meta('me', 'k')).status, 'EN')
    },
  },
  {
    name: 'meta commands are refused where there are none',
    skip: ({ meta }) => meta && 'the server has meta commands',
    run: async ({ client }) => {
      await assert.rejects(client.meta('mg', 'k', ['v']), UnsupportedError)
      await assert.rejects(client.meta('ms', 'k', [], 'v'), UnsupportedError)
      await client.set('k', 'still in step')
      assert.equal(await client.get('k'), 'still in step')
    },
  },
  {
    name: 'flush empties every server',
    alone: true,
    run: async ({ client }) => {
      const keys = Array.from({ length: 30 }, (_, i) => `k${i}`)
      await Promise.all(keys.map((key) => client.set(key, 'v')))
      await client.flush()
      assert.equal((await client.getMany(keys)).size, 0)
    },
  },
  {
    name: 'flush with a delay empties later',
    alone: true,
    run: async ({ client }) => {
      const keys = Array.from({ length: 30 }, (_, i) => `k${i}`)
      await Promise.all(keys.map((key) => client.set(key, 'v')))
      await client.flush({ delay: '2s' })
      assert.equal((await client.getMany(keys)).size, keys.length)
      const giveUpAt = performance.now() + 10_000
      while ((await client.getMany(keys)).size > 0) {
        assert.ok(performance.now() < giveUpAt, 'the delay has no end')
        await sleep(20)
      }
    },
  },
]
