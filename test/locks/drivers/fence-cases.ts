import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Case, call, held } from './case.js'

const roundCount = 40

export const fenceCases: readonly Case[] = [
  {
    name: 'fences rise over release and deletion, whoever holds',
    run: async ({ bench, create, claim }) => {
      const drivers = [create(), create(), create()]
      let last = 0n
      for (let round = 0; round < roundCount; round++) {
        const driver = drivers[round % drivers.length]
        const lease = held(await driver.claim(claim('k'), call))
        assert.ok(lease.fence! > last, `${lease.fence} after ${last}, in round ${round}`)
        last = lease.fence!
        const current = round % 2 === 0 ? lease : (await driver.extend(lease, 20_000, call))!
        if (round % 3 === 0) await bench.stranger.delete(lease.key)
        else assert.equal(await driver.release(lease.key, current.version, call), true)
      }
    },
  },
  {
    name: 'fences rise over the end of leases',
    run: async ({ kind, create, claim }) => {
      const driver = create()
      let last = 0n
      for (let round = 0; round < 2; round++) {
        const { fence } = held(await driver.claim(claim('k', { ttlMs: kind.shortMs }), call))
        assert.ok(fence! > last, `${fence} after ${last}`)
        last = fence!
        await sleep(kind.overMs)
      }
    },
  },
  {
    name: 'fences rise when the counter is lost, by whoever starts it again',
    skip: ({ fences }) => fences === 'token' && 'the token is the fence',
    alone: true,
    run: async ({ bench, create, claim }) => {
      let last = 0n
      for (let round = 0; round < 3; round++) {
        const driver = create()
        const lease = held(await driver.claim(claim('k'), call))
        assert.ok(lease.fence! > last, `${lease.fence} after ${last}`)
        last = lease.fence!
        await driver.release(lease.key, lease.version, call)
        await bench.counter(lease.key).delete()
      }
    },
  },
  {
    name: 'a driver gives no fence that is not above those it knows of, whatever the counter says',
    skip: ({ fences }) => fences === 'token' && 'the token is the fence',
    alone: true,
    run: async ({ bench, create, claim, key }) => {
      const driver = create()
      const first = held(await driver.claim(claim('k'), call))
      await driver.release(first.key, first.version, call)
      await bench.counter(key('k')).set('5')
      const second = held(await driver.claim(claim('k'), call))
      assert.ok(second.fence! > first.fence!, `${second.fence} after ${first.fence}`)
    },
  },
  {
    name: 'a counter that is no number gives no lock, and leaves none',
    skip: ({ fences }) => fences === 'token' && 'the token is the fence',
    alone: true,
    run: async ({ bench, create, claim, key }) => {
      const driver = create()
      const counter = bench.counter(key('k'))
      await counter.set('no number')
      try {
        await assert.rejects(driver.claim(claim('k'), call), { name: 'LockUnavailableError' })
        assert.equal(await driver.find(key('k'), call), undefined)
      } finally {
        await counter.delete()
      }
    },
  },
]
