import assert from 'node:assert/strict'
import type { Case } from './case.js'

export const storageCases: readonly Case[] = [
  {
    name: 'reads miss',
    run: async ({ client }) => {
      assert.equal(await client.get('k'), undefined)
      assert.equal(await client.gets('k'), undefined)
      assert.equal(await client.gat('k', '1h'), undefined)
      assert.equal((await client.getMany(['k', 'l'])).size, 0)
    },
  },
  {
    name: 'reads hit',
    run: async ({ client }) => {
      assert.equal(await client.set('k', 'v'), true)
      assert.equal(await client.get('k'), 'v')
      assert.equal(await client.gat('k', '1h'), 'v')
      assert.deepEqual(await client.getMany(['k', 'l']), new Map([['k', 'v']]))
      const found = await client.gets('k')
      assert.equal(found?.value, 'v')
      assert.equal(typeof found?.cas, 'bigint')
    },
  },
  {
    name: 'set replaces',
    run: async ({ client }) => {
      await client.set('k', 'one')
      await client.set('k', 'two')
      assert.equal(await client.get('k'), 'two')
    },
  },
  {
    name: 'add stores only where nothing is',
    run: async ({ client }) => {
      assert.equal(await client.add('k', 'one'), true)
      assert.equal(await client.add('k', 'two'), false)
      assert.equal(await client.get('k'), 'one')
      await client.delete('k')
      assert.equal(await client.add('k', 'three'), true)
    },
  },
  {
    name: 'replace stores only where something is',
    run: async ({ client }) => {
      assert.equal(await client.replace('k', 'one'), false)
      assert.equal(await client.get('k'), undefined)
      await client.set('k', 'one')
      assert.equal(await client.replace('k', 'two'), true)
      assert.equal(await client.get('k'), 'two')
    },
  },
  {
    name: 'append and prepend lengthen what is there',
    run: async ({ client }) => {
      assert.equal(await client.append('k', 'x'), false)
      assert.equal(await client.prepend('k', 'x'), false)
      assert.equal(await client.get('k'), undefined)
      await client.set('k', 'b')
      assert.equal(await client.append('k', 'c'), true)
      assert.equal(await client.prepend('k', 'a'), true)
      assert.equal(await client.get('k'), 'abc')
    },
  },
  {
    name: 'cas: stored, exists, not-found',
    run: async ({ client }) => {
      assert.equal(await client.cas('k', 'x', 1n), 'not-found')
      await client.set('k', 'one')
      const one = await client.gets('k')
      assert.equal(await client.cas('k', 'two', one!.cas), 'stored')
      assert.equal(await client.cas('k', 'three', one!.cas), 'exists')
      const two = await client.gets('k')
      assert.equal(two!.value, 'two')
      assert.notEqual(two!.cas, one!.cas)
      await client.delete('k')
      assert.equal(await client.cas('k', 'four', two!.cas), 'not-found')
      assert.equal(await client.get('k'), undefined)
    },
  },
  {
    name: 'a token outlives reads and touch, not writes',
    run: async ({ client }) => {
      await client.set('k', '1')
      const before = await client.gets('k')
      await client.get('k')
      await client.touch('k', '1h')
      await client.gat('k', '1h')
      assert.equal((await client.gets('k'))!.cas, before!.cas)
      for (const write of [
        () => client.incr('k'),
        () => client.append('k', '0'),
        () => client.prepend('k', '1'),
        () => client.replace('k', '5'),
        () => client.set('k', '5'),
      ]) {
        const { cas } = (await client.gets('k'))!
        await write()
        assert.equal(await client.cas('k', 'x', cas), 'exists', write.toString())
      }
    },
  },
  {
    name: 'delete',
    run: async ({ client }) => {
      assert.equal(await client.delete('k'), false)
      await client.set('k', 'v')
      assert.equal(await client.delete('k'), true)
      assert.equal(await client.get('k'), undefined)
      assert.equal(await client.delete('k'), false)
    },
  },
  {
    name: 'compare-and-delete',
    run: async ({ client }) => {
      assert.equal(await client.delete('k', { cas: 1n }), false)
      await client.set('k', 'one')
      const one = await client.gets('k')
      await client.set('k', 'two')
      assert.equal(await client.delete('k', { cas: one!.cas }), false)
      assert.equal(await client.get('k'), 'two')
      const two = await client.gets('k')
      assert.equal(await client.delete('k', { cas: two!.cas }), true)
      assert.equal(await client.get('k'), undefined)
      assert.equal(await client.add('k', 'three'), true)
      assert.equal(await client.delete('k', { cas: two!.cas }), false)
      assert.equal(await client.get('k'), 'three')
    },
  },
  {
    name: 'noreply resolves at once, and what follows sees it done',
    run: async ({ client }) => {
      assert.equal(await client.set('k', 'one', { noreply: true }), true)
      assert.equal(await client.get('k'), 'one')
      // True tells nothing: this one is refused.
      assert.equal(await client.add('k', 'two', { noreply: true }), true)
      await client.append('k', '!', { noreply: true })
      await client.prepend('k', '?', { noreply: true })
      assert.equal(await client.get('k'), '?one!')
      await client.replace('k', 'three', { noreply: true })
      assert.equal(await client.get('k'), 'three')
      assert.equal(await client.delete('k', { noreply: true }), true)
      assert.equal(await client.get('k'), undefined)
      await client.set('k', 'x'.repeat(3_000_000), { noreply: true })
      assert.equal(await client.get('k'), undefined)
    },
  },
  {
    name: 'many calls at once each get their own answer',
    run: async ({ client }) => {
      const names = Array.from({ length: 500 }, (_, i) => `k${i}`)
      await Promise.all(names.map((name) => client.set(name, `of ${name}`)))
      const calls = names.map((name, i) => (i % 3 === 0 ? client.get(`missing-${i}`) : client.get(name)))
      for (const [i, value] of (await Promise.all(calls)).entries())
        assert.equal(value, i % 3 === 0 ? undefined : `of k${i}`)
    },
  },
]
