import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LockDriver } from 'latchkey/locks'
import { type Case, call, clock, held, LONG_MS } from './case.js'

const reason = new Error('enough')
const noQueue = ({ queues }: { queues: boolean }) => !queues && 'the server has no queues'

export const waitingCases: readonly Case[] = [
  {
    name: 'a server without queues answers at once, and says that nobody was queued',
    skip: ({ queues }) => queues && 'it has queues',
    run: async ({ create, claim }) => {
      const driver = create()
      held(await driver.claim(claim('k'), call))
      const result = await driver.claim(claim('k', { waitMs: LONG_MS }), call)
      assert.equal(result.status === 'busy' && result.queued, false)
    },
  },
  {
    name: 'those who wait have it in the order in which they came, as soon as it is released',
    skip: noQueue,
    run: async ({ create, claim, key }) => {
      const drivers = [create(), create()]
      const holder = held(await drivers[0].claim(claim('k'), call))
      const order: number[] = []
      const turns: Promise<unknown>[] = []
      for (let i = 0; i < 6; i++) {
        const driver = drivers[i % 2]
        const turn = driver.claim(claim('k', { waitMs: LONG_MS }), call).then(async (result) => {
          const lease = held(result)
          order.push(i)
          assert.equal(await driver.release(lease.key, lease.version, call), true)
        })
        turns.push(turn)
        await untilWaiting(drivers[0], key('k'), i + 1)
      }
      await drivers[0].release(holder.key, holder.version, call)
      await Promise.all(turns)
      assert.deepEqual(order, [0, 1, 2, 3, 4, 5])
    },
  },
  {
    name: 'who waits gets it when the lease ends, with a lease that counts from then, and a greater fence',
    skip: noQueue,
    run: async ({ kind, create, claim }) => {
      const [one, other] = [create(), create()]
      const before = clock.now()
      const first = held(await one.claim(claim('k', { ttlMs: kind.shortMs }), call))
      const second = held(await other.claim(claim('k', { waitMs: LONG_MS }), call))
      assert.ok(second.from >= before + kind.shortMs, `counts from ${second.from - before} ms after the first`)
      assert.ok(second.from <= clock.now())
      assert.ok(second.fence! > first.fence!)
      assert.equal((await one.find(second.key, call))?.holder.owner, second.holder.owner)
      assert.ok(await other.extend(second, LONG_MS, call))
    },
  },
  {
    name: 'a wait whose time is over was in the queue, and said so, tells who holds, and is in it no more',
    skip: noQueue,
    run: async ({ create, claim }) => {
      const [one, other] = [create(), create()]
      let told = 0
      const onQueued = () => told++
      const lease = held(await one.claim(claim('k', { waitMs: LONG_MS }), { ...call, onQueued }))
      assert.equal(told, 0, 'there was nobody to wait for')
      const result = await other.claim(claim('k', { waitMs: 50 }), { ...call, onQueued })
      assert.ok(told > 0, 'nobody was told that it waits')
      assert.equal(result.status, 'busy')
      assert.equal(result.status === 'busy' && result.queued, true)
      assert.equal(result.status === 'busy' && result.found?.holder.owner, lease.holder.owner)
      assert.equal((await one.find(lease.key, call))?.waiters, 0)
      assert.equal(await one.release(lease.key, lease.version, call), true)
      assert.equal(await one.find(lease.key, call), undefined)
    },
  },
  {
    name: 'an abort leaves the queue',
    skip: noQueue,
    run: async ({ create, claim, key }) => {
      const [one, other] = [create(), create()]
      const lease = held(await one.claim(claim('k'), call))
      const controller = new AbortController()
      const wait = other.claim(claim('k', { waitMs: LONG_MS }), { ...call, signal: controller.signal })
      wait.catch(() => undefined)
      await untilWaiting(one, key('k'), 1)
      controller.abort(reason)
      await assert.rejects(wait, (error) => error === reason)
      await untilWaiting(one, key('k'), 0)
      assert.equal(await one.release(lease.key, lease.version, call), true)
      assert.equal(await one.find(lease.key, call), undefined, 'the one who has gone was given it')
    },
  },
  {
    name: 'an abort at the moment of the hand-over leaves it held and said so, or free',
    skip: noQueue,
    run: async ({ create, claim, key }) => {
      const [one, other] = [create(), create()]
      for (let turn = 0; turn < 30; turn++) {
        const lease = held(await one.claim(claim('k'), call))
        const controller = new AbortController()
        const wait = other.claim(claim('k', { waitMs: LONG_MS }), { ...call, signal: controller.signal })
        wait.catch(() => undefined)
        await untilWaiting(one, key('k'), 1)
        const release = one.release(lease.key, lease.version, call)
        if (turn > 0) await sleep(turn / 10)
        controller.abort(reason)
        const result = await wait.catch((error) => assert.ok(error === reason, `${error}`))
        await release
        if (result) assert.equal(await other.release(lease.key, held(result).version, call), true)
        assert.equal(await one.find(lease.key, call), undefined, `left behind in turn ${turn}`)
      }
    },
  },
  {
    name: 'while many wait, their driver does everything else at once',
    skip: noQueue,
    run: async ({ create, claim, key }) => {
      const driver = create()
      const lease = held(await driver.claim(claim('k'), call))
      const waits = Array.from({ length: 10 }, () => driver.claim(claim('k', { waitMs: 1000 }), call))
      await untilWaiting(driver, key('k'), 10)
      const extended = await driver.extend(lease, LONG_MS, call)
      held(await driver.claim(claim('other'), call))
      assert.equal((await driver.find(lease.key, call))?.version, extended?.version)
      for (const result of await Promise.all(waits)) assert.equal(result.status, 'busy')
    },
  },
]

async function untilWaiting(driver: LockDriver, key: string, count: number): Promise<void> {
  for (let tries = 0; (await driver.find(key, call))?.waiters !== count; tries++) {
    assert.ok(tries < 2000, `there never are ${count} who wait`)
    await sleep(5)
  }
}
