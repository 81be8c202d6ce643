import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Case, call, held } from './case.js'

const garbage: readonly (string | Buffer)[] = [
  '',
  'x',
  '{',
  'null',
  '[]',
  '17',
  '{}',
  '{"o":5}',
  '{"o":"abc"}',
  `{"o":"${'a'.repeat(32)}","f":5}`,
  `{"o":"${'a'.repeat(32)}","f":"-5"}`,
  `{"o":"${'a'.repeat(32)}"`,
  Buffer.from([0xff, 0xfe, 0, 13, 10]),
  'x'.repeat(100_000),
]

export const foreignCases: readonly Case[] = [
  {
    name: 'what somebody has set over a lock holds it: the holder has lost it, and touches nothing',
    run: async ({ bench, create, claim }) => {
      const driver = create()
      const lease = held(await driver.claim(claim('k'), call))
      await bench.stranger.set(lease.key, Buffer.from('mine now'))
      assert.equal(await driver.extend(lease, 20_000, call), undefined)
      assert.equal(await driver.release(lease.key, lease.version, call), false)
      const result = await driver.claim(claim('k'), call)
      assert.equal(result.status, 'busy')
      const found = await driver.find(lease.key, call)
      assert.equal(found?.holder.owner, '')
      assert.equal(await driver.release(lease.key, found!.version, call), true, 'by its version it can be taken away')
      held(await driver.claim(claim('k'), call))
    },
  },
  {
    name: 'a lock that somebody has deleted is lost, and can be had',
    run: async ({ bench, create, claim }) => {
      const driver = create()
      const lease = held(await driver.claim(claim('k'), call))
      await bench.stranger.delete(lease.key)
      const next = held(await create().claim(claim('k'), call))
      assert.equal(await driver.extend(lease, 20_000, call), undefined)
      assert.equal(await driver.release(lease.key, lease.version, call), false)
      assert.equal((await driver.find(next.key, call))?.holder.owner, next.holder.owner)
    },
  },
  {
    name: 'a lock that somebody has touched stays the holder’s as long as it is there, and no longer',
    skip: ({ touches }) => !touches && 'nobody else can change the life of what is there',
    run: async ({ kind, bench, create, claim }) => {
      const driver = create()
      const [longer, shorter] = await Promise.all(
        ['longer', 'shorter'].map(async (name) => held(await driver.claim(claim(name), call))),
      )
      await bench.stranger.touch(longer.key, 40_000)
      await bench.stranger.touch(shorter.key, 1000)
      const extended = await driver.extend(longer, 20_000, call)
      assert.equal(await driver.release(longer.key, extended!.version, call), true)
      await sleep(Math.max(kind.overMs, 1500))
      const next = held(await create().claim(claim('shorter'), call))
      assert.equal(await driver.extend(shorter, 20_000, call), undefined)
      assert.equal(await driver.release(shorter.key, shorter.version, call), false)
      assert.equal((await driver.find(next.key, call))?.holder.owner, next.holder.owner)
    },
  },
  {
    name: 'garbage under a lock’s key is busy, and nothing else happens',
    run: async ({ bench, create, claim, key }) => {
      const driver = create()
      for (const [i, value] of garbage.entries()) {
        await bench.stranger.set(key(`g${i}`), Buffer.from(value as string))
        const result = await driver.claim(claim(`g${i}`), call)
        assert.equal(result.status, 'busy', `number ${i}`)
        const found = await driver.find(key(`g${i}`), call)
        assert.equal(found?.holder.owner, '', `number ${i}`)
        assert.equal(found.fence, undefined)
      }
    },
  },
  {
    name: 'a record of which only the owner is known is one',
    run: async ({ bench, create, claim, key }) => {
      const owner = '0123456789abcdef0123456789abcdef'
      await bench.stranger.set(key('k'), Buffer.from(`{"o":"${owner}","f":"17","h":5,"x":[],"p":"p"}`))
      const result = await create().claim(claim('k'), call)
      assert.equal(result.status === 'busy' && result.found?.holder.owner, owner)
      const found = await create().find(key('k'), call)
      assert.equal(found?.fence, 17n)
      assert.deepEqual(
        Object.values(found.holder).filter((value) => value !== undefined),
        [owner],
      )
    },
  },
]
