import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { LockUnavailableError } from 'latchkey/locks'
import { type Case, call, clock, collect, held, LONG_MS, sameVersion } from './case.js'

export const basicCases: readonly Case[] = [
  {
    name: 'one holds it, others are told who, and after the release it is free',
    run: async ({ create, claim }) => {
      const [one, other] = [create(), create()]
      const mine = claim('k')
      const before = clock.now()
      const lease = held(await one.claim(mine, call))
      assert.ok(lease.from >= before && lease.from <= clock.now(), 'counts from when it was asked for')
      assert.deepEqual(lease.holder, mine.holder)
      const theirs = await other.claim(claim('k'), call)
      assert.equal(theirs.status, 'busy')
      assert.equal(theirs.status === 'busy' && theirs.found?.holder.owner, mine.holder.owner)
      assert.equal(await one.release(mine.key, lease.version, call), true)
      assert.equal(await one.find(mine.key, call), undefined)
      held(await other.claim(claim('k'), call))
    },
  },
  {
    name: 'find tells the holder, the fence and what is left',
    run: async ({ kind, create, claim, key }) => {
      const driver = create()
      assert.equal(await driver.find(key('k'), call), undefined)
      const mine = claim('k')
      const lease = held(await driver.claim(mine, call))
      const found = await create().find(mine.key, call)
      assert.deepEqual(found?.holder, mine.holder)
      assert.equal(found?.fence, lease.fence)
      assert.ok(sameVersion(found.version, lease.version))
      const { leftMs } = found!
      if (leftMs !== undefined) assert.ok(leftMs > 0 && leftMs <= LONG_MS + 1000, `${leftMs} ms left`)
      else assert.match(kind.name, /classic|without meta|ZooKeeper|Consul/, 'only these do not tell')
    },
  },
  {
    name: 'a lease ends by itself, not before its time, and then another has it',
    run: async ({ kind, create, claim }) => {
      const driver = create()
      const lease = held(await driver.claim(claim('k', { ttlMs: kind.shortMs }), call))
      for (;;) {
        const asked = clock.now()
        if ((await driver.find(lease.key, call)) === undefined) break
        assert.ok(asked - lease.from < LONG_MS, 'it never ends')
        await sleep(20)
      }
      const lasted = clock.now() - lease.from
      assert.ok(lasted >= kind.shortMs - lease.granularityMs, `ended after ${lasted} ms`)
      held(await driver.claim(claim('k'), call))
    },
  },
  {
    name: 'extending gives a new life and a new version, and the old one is worth nothing',
    run: async ({ kind, create, claim }) => {
      const driver = create()
      const first = held(await driver.claim(claim('k', { ttlMs: kind.shortMs }), call))
      const before = clock.now()
      const second = await driver.extend(first, 20_000, call)
      if (second === undefined) {
        assert.ok(clock.now() - first.from >= kind.shortMs - first.granularityMs, 'refused, though it was not over')
        return
      }
      assert.ok(second.from >= before, 'counts from the extension')
      assert.notEqual(second.version, first.version)
      assert.equal(second.fence, first.fence)
      await sleep(kind.overMs)
      const found = await driver.find(first.key, call)
      assert.deepEqual(found?.holder, first.holder)
      assert.equal(found?.fence, first.fence)
      assert.equal(await driver.extend(first, 20_000, call), undefined)
      assert.equal(await driver.release(first.key, first.version, call), false)
      assert.equal(await driver.release(first.key, second.version, call), true)
    },
  },
  {
    name: 'another driver extends and releases what it was handed the lease of',
    run: async ({ create, claim }) => {
      const lease = held(await create().claim(claim('k'), call))
      const other = create()
      const extended = await other.extend(structuredClone(lease), 20_000, call)
      assert.equal(await create().release(lease.key, extended!.version, call), true)
    },
  },
  {
    name: 'a lock without a fence has none, and stays so',
    run: async ({ create, claim }) => {
      const driver = create()
      for (const guarantee of ['lease', 'efficiency'] as const) {
        const lease = held(await driver.claim(claim(guarantee, { guarantee }), call))
        assert.equal(lease.fence, undefined)
        assert.equal((await driver.find(lease.key, call))?.fence, undefined)
        const extended = await driver.extend(lease, 20_000, call)
        assert.equal(extended?.fence, undefined)
        assert.equal((await driver.find(lease.key, call))?.fence, undefined)
      }
    },
  },
  {
    name: 'list tells all locks with the prefix, and nothing else',
    skip: ({ lists }) => !lists && 'the server cannot list its keys',
    run: async ({ bench, create, claim, key }) => {
      const driver = create()
      const leases = await Promise.all(
        ['a1', 'a2', 'a3', 'b1'].map(async (name) => held(await driver.claim(claim(name), call))),
      )
      await bench.stranger.set(key('x'), Buffer.from('x'))
      const found = await collect(driver.list(key('a'), call))
      const byKey = (one: { key: string }, two: { key: string }) => (one.key < two.key ? -1 : 1)
      assert.deepEqual(
        found.sort(byKey).map(({ key, holder, fence }) => ({ key, holder, fence })),
        leases.slice(0, 3).map(({ key, holder, fence }) => ({ key, holder, fence })),
      )
      assert.ok(found.every(({ version }, at) => sameVersion(version, leases[at].version)))
    },
  },
  {
    name: 'where nothing can be listed, that is said',
    skip: ({ lists }) => lists && 'the server lists its keys',
    run: async ({ create, key }) => {
      await assert.rejects(collect(create().list(key(''), call)), LockUnavailableError)
    },
  },
  {
    name: 'facts tell what it is',
    run: async ({ kind, create, key }) => {
      const facts = await create().facts(key('k'), call)
      assert.equal(facts.queues, kind.queues)
      assert.equal(facts.granularityMs, kind.granularityMs)
      if (kind.evicts !== undefined) assert.equal(facts.evicts, kind.evicts)
    },
  },
]
