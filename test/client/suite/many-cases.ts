import assert from 'node:assert/strict'
import type { Case } from './case.js'

export const manyCases: readonly Case[] = [
  {
    name: 'getMany of a thousand keys, every other one a miss',
    run: async ({ client }) => {
      const keys = Array.from({ length: 1000 }, (_, i) => `key-${i}`)
      const there = keys.filter((_, i) => i % 2 === 0)
      await Promise.all(there.map((key) => client.set(key, `of ${key}`)))
      const found = await client.getMany(keys)
      assert.equal(found.size, 500)
      for (const key of there) assert.equal(found.get(key), `of ${key}`)
      // Behind so much, the next answers are still their own.
      assert.equal(await client.get('key-2'), 'of key-2')
    },
  },
  {
    name: 'getMany of nothing, of one, of the same twice, of misses only, of an iterator',
    run: async ({ client }) => {
      await client.set('k', 'v')
      assert.equal((await client.getMany([])).size, 0)
      assert.deepEqual(await client.getMany(['k']), new Map([['k', 'v']]))
      assert.deepEqual(await client.getMany(['k', 'k', 'missing', 'k']), new Map([['k', 'v']]))
      assert.equal((await client.getMany(['no', 'none'])).size, 0)
      assert.deepEqual(await client.getMany(new Set(['missing', 'k']).values()), new Map([['k', 'v']]))
    },
  },
  {
    name: 'fifty getManys at once, among sets and gets',
    run: async ({ client }) => {
      const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`)
      await Promise.all(keys.map((key) => client.set(key, `of ${key}`)))
      const rounds = Array.from({ length: 50 }, async (_, round) => {
        const some = keys.filter((_, i) => (i + round) % 3 === 0)
        const [found, one] = await Promise.all([
          client.getMany([...some, `missing-${round}`]),
          client.get(keys[round % 40]),
          client.set(`other-${round}`, `${round}`),
        ])
        assert.deepEqual(new Set(found), new Set(some.map((key) => [key, `of ${key}`] as const)))
        assert.equal(one, `of ${keys[round % 40]}`)
      })
      await Promise.all(rounds)
    },
  },
]
