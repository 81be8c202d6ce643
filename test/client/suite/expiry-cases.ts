import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Case } from './case.js'

/** Longer than what is set to live for a second can live, with a clock that ticks once a second. */
const afterASecondMs = 2300

export const expiryCases: readonly Case[] = [
  {
    name: 'what is set to live for a second goes, what lives longer stays',
    run: async ({ client, create }) => {
      const short = create({ ttl: '1s' })
      const inASecond = () => new Date(Date.now() + 1000)
      await Promise.all([
        client.set('second', 'x', { ttl: '1s' }),
        client.set('milliseconds', 'x', { ttl: 1000 }),
        client.set('fraction', 'x', { ttl: 1 }),
        client.set('moment', 'x', { ttl: inASecond() }),
        client.add('added', 'x', { ttl: '1s' }),
        client.incr('counted', 1, { initial: 1, ttl: '1s' }),
        short.set('default', 'x'),
        client.update('updated', () => 'x', { ttl: '1s' }),
        short.set('overridden', 'x', { ttl: 0 }),
        client.set('never', 'x', { ttl: 0 }),
        client.set('neither', 'x', { ttl: Number.POSITIVE_INFINITY }),
        client.set('hour', 'x', { ttl: '1h' }),
        client.set('hence', 'x', { ttl: new Date(Date.now() + 3_600_000) }),
        client.set('months', 'x', { ttl: '100d' }),
        client.set('unset', 'x'),
      ])
      for (const name of ['touched', 'gotten', 'replaced', 'swapped']) await client.set(name, 'x')
      await client.touch('touched', '1s')
      await client.gat('gotten', inASecond())
      await client.replace('replaced', 'y', { ttl: '1s' })
      await client.cas('swapped', 'y', (await client.gets('swapped'))!.cas, { ttl: '1s' })
      for (const name of ['touched-longer', 'gotten-longer']) await client.set(name, 'x', { ttl: '2s' })
      assert.equal(await client.touch('touched-longer', '1h'), true)
      assert.equal(await client.gat('gotten-longer', '1h'), 'x')
      await sleep(afterASecondMs)
      const gone = ['second', 'milliseconds', 'fraction', 'moment', 'added', 'counted', 'default', 'updated']
      gone.push('touched', 'gotten', 'replaced', 'swapped')
      const stayed = [
        'overridden',
        'never',
        'neither',
        'hour',
        'hence',
        'months',
        'unset',
        'touched-longer',
        'gotten-longer',
      ]
      const found = await client.getMany([...gone, ...stayed])
      assert.deepEqual([...found.keys()].sort(), stayed.sort())
      for (const name of gone) assert.equal(await client.get(name), undefined, name)
      assert.equal(await client.touch('second', '1h'), false)
      assert.equal(await client.add('second', 'again'), true)
    },
  },
  {
    name: 'what is over already is gone at once',
    run: async ({ client }) => {
      await client.set('k', 'v')
      assert.equal(await client.set('k', 'w', { ttl: new Date(Date.now() - 60_000) }), true)
      assert.equal(await client.get('k'), undefined)
      await client.set('l', 'v')
      assert.equal(await client.touch('l', new Date(0)), true)
      assert.equal(await client.get('l'), undefined)
    },
  },
]
