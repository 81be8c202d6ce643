import assert from 'node:assert/strict'
import { RequestRefusedError } from 'latchkey/client'
import type { Case } from './case.js'

const largest = 2n ** 64n - 1n

export const counterCases: readonly Case[] = [
  {
    name: 'a missing counter is undefined',
    run: async ({ client }) => {
      assert.equal(await client.incr('n'), undefined)
      assert.equal(await client.decr('n', 5), undefined)
      assert.equal(await client.get('n'), undefined)
    },
  },
  {
    name: 'incr and decr',
    run: async ({ client }) => {
      await client.set('n', '10')
      assert.equal(await client.incr('n'), 11n)
      assert.equal(await client.incr('n', 5), 16n)
      assert.equal(await client.incr('n', 2n ** 40n), 2n ** 40n + 16n)
      assert.equal(await client.decr('n', 2n ** 40n), 16n)
      assert.equal(await client.decr('n'), 15n)
      assert.equal(await client.incr('n', 0), 15n)
      assert.equal(BigInt((await client.get('n'))!.trim()), 15n)
    },
  },
  {
    name: 'incr wraps at 2^64, decr stops at 0',
    run: async ({ client }) => {
      await client.set('n', `${largest}`)
      assert.equal(await client.incr('n', 2), 1n)
      assert.equal(await client.decr('n', 2), 0n)
      assert.equal(await client.incr('n', largest), largest)
      assert.equal(await client.decr('n', largest), 0n)
    },
  },
  {
    name: 'initial makes a missing counter',
    run: async ({ client }) => {
      assert.equal(await client.incr('n', 3, { initial: 100 }), 100n)
      assert.equal(await client.incr('n', 3, { initial: 100 }), 103n)
      assert.equal(await client.decr('m', 1, { initial: largest, ttl: '1h' }), largest)
      assert.equal(await client.decr('m', 1, { initial: 0 }), largest - 1n)
      assert.equal(await client.incr('z', 1, { initial: 0 }), 0n)
    },
  },
  {
    name: 'what is no number refuses to count, in words',
    run: async ({ client }) => {
      await client.set('n', 'text')
      const refused = { name: 'RequestRefusedError', code: 'REQUEST_REFUSED', message: /non-numeric/ }
      await assert.rejects(client.incr('n'), refused)
      await assert.rejects(client.decr('n'), RequestRefusedError)
      assert.equal(await client.get('n'), 'text')
    },
  },
  {
    name: 'a hundred at once lose no count',
    run: async ({ client, create }) => {
      const clients = [client, create(), create()]
      await client.set('n', '0')
      const results = await Promise.all(Array.from({ length: 99 }, (_, i) => clients[i % 3].incr('n')))
      assert.equal(new Set(results).size, 99)
      assert.equal(await client.incr('n'), 100n)
      const firsts = await Promise.all(
        Array.from({ length: 30 }, (_, i) => clients[i % 3].incr('m', 1, { initial: 0 })),
      )
      assert.deepEqual(
        firsts.map(Number).sort((one, other) => one - other),
        Array.from({ length: 30 }, (_, i) => i),
      )
    },
  },
]
