import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Case, call, held, sameVersion } from './case.js'

export const staleCases: readonly Case[] = [
  {
    name: 'after its end, a holder can neither extend nor release what another has taken; the other can',
    run: async ({ kind, create, claim }) => {
      const [stale, fresh] = [create(), create()]
      const old = held(await stale.claim(claim('k', { ttlMs: kind.shortMs }), call))
      await sleep(kind.overMs)
      const lease = held(await fresh.claim(claim('k'), call))
      const before = await fresh.find(lease.key, call)
      assert.equal(await stale.extend(old, 20_000, call), undefined)
      assert.equal(await stale.release(old.key, old.version, call), false)
      const after = await fresh.find(lease.key, call)
      assert.deepEqual({ ...after, leftMs: 0, version: 0n }, { ...before, leftMs: 0, version: 0n }, 'touched')
      assert.ok(sameVersion(after!.version, before!.version), 'touched')
      assert.equal(await fresh.release(lease.key, lease.version, call), true)
    },
  },
  {
    name: 'extending never makes a lock anew: not after its end, nor after its deletion',
    run: async ({ kind, bench, create, claim }) => {
      const driver = create()
      const ended = held(await driver.claim(claim('ended', { ttlMs: kind.shortMs }), call))
      const deleted = held(await driver.claim(claim('deleted'), call))
      const released = held(await driver.claim(claim('released'), call))
      await bench.stranger.delete(deleted.key)
      assert.equal(await driver.release(released.key, released.version, call), true)
      await sleep(kind.overMs)
      for (const lease of [ended, deleted, released]) {
        assert.equal(await driver.extend(lease, 20_000, call), undefined, lease.key)
        assert.equal(await driver.release(lease.key, lease.version, call), false, lease.key)
        assert.equal(await driver.find(lease.key, call), undefined, lease.key)
      }
    },
  },
  {
    name: 'a release told twice does it once',
    run: async ({ create, claim }) => {
      const [one, other] = [create(), create()]
      const lease = held(await one.claim(claim('k'), call))
      assert.equal(await one.release(lease.key, lease.version, call), true)
      const next = held(await other.claim(claim('k'), call))
      assert.equal(await one.release(lease.key, lease.version, call), false)
      assert.equal((await one.find(next.key, call))?.holder.owner, next.holder.owner)
    },
  },
]
