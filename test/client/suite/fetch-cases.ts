import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Case, needsMeta } from './case.js'

const callers = 50

export const fetchCases: readonly Case[] = [
  {
    name: 'fetch reads, and computes what is missing',
    run: async ({ client }) => {
      await client.set('there', 'read')
      assert.equal(await client.fetch('there', '1h', () => assert.fail('it is there')), 'read')
      assert.equal(await client.fetch('missing', '1h', async () => 'computed'), 'computed')
      assert.equal(await client.get('missing'), 'computed')
      assert.equal(await client.fetch('missing', '1h', () => assert.fail('it is there')), 'computed')
      assert.equal(await client.fetch('for-ever', undefined, () => 'kept'), 'kept')
    },
  },
  {
    name: 'fifty callers compute once: of one client',
    run: async ({ client }) => {
      let computed = 0
      const compute = async () => {
        await sleep(20)
        return `${++computed}`
      }
      const calls = Array.from({ length: callers }, () => client.fetch('k', '1h', compute))
      assert.deepEqual(new Set(await Promise.all(calls)), new Set(['1']))
      assert.equal(computed, 1)
    },
  },
  {
    name: 'fifty callers compute once: of four clients',
    // Without them each process computes once; that is the case above.
    skip: needsMeta,
    run: async ({ client, create }) => {
      const clients = [client, create(), create(), create()]
      let computed = 0
      const compute = async () => {
        await sleep(50)
        return `${++computed}`
      }
      const calls = Array.from({ length: callers }, (_, i) => clients[i % 4].fetch('k', '1h', compute))
      assert.deepEqual(new Set(await Promise.all(calls)), new Set(['1']))
      assert.equal(computed, 1)
      // An empty value is a value, for those who wait too.
      const empty = Array.from({ length: 8 }, (_, i) => clients[i % 4].fetch('empty', '1h', async () => ''))
      assert.deepEqual(new Set(await Promise.all(empty)), new Set(['']))
    },
  },
  {
    name: 'while one computes anew, others get the old value',
    skip: needsMeta,
    run: async ({ client, create }) => {
      const [other, third] = [create(), create()]
      assert.equal(await client.fetch('k', '1s', () => 'old', { stale: '1m' }), 'old')
      await sleep(2300)
      let finish = (_: string) => {}
      const slow = new Promise<string>((resolve) => {
        finish = resolve
      })
      let computing = 0
      const anew = () => {
        computing++
        return slow
      }
      const first = client.fetch('k', '1h', anew, { stale: '1m' })
      while (computing === 0) await sleep(1)
      for (let i = 0; i < 10; i++) {
        const from = i % 2 === 0 ? other : third
        assert.equal(await from.fetch('k', '1h', () => assert.fail('one is at it'), { stale: '1m' }), 'old')
      }
      // Its own client's callers too, rather than wait for it.
      const own = await Promise.race([client.fetch('k', '1h', anew, { stale: '1m' }), sleep(500, 'waited')])
      finish('new')
      assert.equal(await first, 'new')
      assert.equal(await other.fetch('k', '1h', () => assert.fail('it is fresh'), { stale: '1m' }), 'new')
      assert.equal(computing, 1)
      assert.equal(own, 'old')
    },
  },
  {
    name: 'a key that is being computed is a miss to plain reads',
    run: async ({ client, create }) => {
      const other = create()
      const fetched = client.fetch('k', '1h', async () => {
        assert.equal(await other.get('k'), undefined)
        assert.equal(await other.gets('k'), undefined)
        assert.equal(await other.gat('k', '1h'), undefined)
        assert.equal((await other.getMany(['k', 'l'])).size, 0)
        return 'computed'
      })
      assert.equal(await fetched, 'computed')
      assert.equal(await other.get('k'), 'computed')
    },
  },
  {
    name: 'what compute throws rejects, and the next caller computes',
    run: async ({ client, create }) => {
      const reason = new Error('no')
      const failing = client.fetch('k', '1h', () => Promise.reject(reason))
      await assert.rejects(failing, (error) => error === reason)
      const from = performance.now()
      assert.equal(await create().fetch('k', '1h', () => 'second'), 'second')
      assert.ok(performance.now() - from < 5000, 'the next caller had to wait for the lease')
      assert.equal(await client.get('k'), 'second')
    },
  },
]
