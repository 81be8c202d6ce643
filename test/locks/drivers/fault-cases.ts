/** What every driver says, and what its server has, when requests or replies are lost on the way. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Lease, type LockDriver, LockUnavailableError, OutcomeUnknownError } from 'latchkey/locks'
import type { FaultProxy } from 'latchkey/torture'
import { call, type claimOf, held } from './case.js'

export interface FaultSetting {
  readonly proxy: FaultProxy
  /** Goes through the proxy. */
  readonly driver: LockDriver
  /** Does not. */
  readonly witness: LockDriver
  claim(key?: string): ReturnType<typeof claimOf>
}

/** For other guarantees memcached is asked something before, and what is lost then has changed nothing. */
function extendedAtOnce(lease: Lease): Lease {
  return { ...lease, guarantee: 'efficiency' }
}

export const faultCases: Record<string, (setting: FaultSetting) => Promise<void>> = {
  async 'the reply to an add is lost: unknown, and find tells that it is there'({ proxy, driver, witness, claim }) {
    const mine = claim()
    proxy.losing = 'replies'
    const result = driver.claim(mine, call)
    result.catch(() => undefined)
    await until(async () => (await witness.find(mine.key, call)) !== undefined)
    proxy.cutAll()
    await assert.rejects(result, OutcomeUnknownError)
    await proxy.heal()
    const found = await eventually(() => driver.find(mine.key, call))
    assert.equal(found?.holder.owner, mine.holder.owner)
    assert.equal(await driver.release(mine.key, found!.version, call), true)
  },

  async 'an add is lost: unknown, and find tells that it is not there'({ proxy, driver, claim }) {
    const mine = claim()
    proxy.losing = 'requests'
    const result = driver.claim(mine, call)
    result.catch(() => undefined)
    await sleep(50)
    proxy.cutAll()
    await assert.rejects(result, OutcomeUnknownError)
    await proxy.heal()
    assert.equal(await eventually(() => driver.find(mine.key, call)), undefined)
  },

  async 'the reply to an extension is lost: unknown, and find tells the version'({ proxy, driver, witness, claim }) {
    const lease = extendedAtOnce(held(await driver.claim(claim(), call)))
    proxy.losing = 'replies'
    const result = driver.extend(lease, 20_000, call)
    result.catch(() => undefined)
    await until(async () => (await witness.find(lease.key, call))?.version !== lease.version)
    proxy.cutAll()
    await assert.rejects(result, OutcomeUnknownError)
    await proxy.heal()
    const found = await eventually(() => driver.find(lease.key, call))
    assert.equal(found?.holder.owner, lease.holder.owner)
    assert.equal(found?.fence, lease.fence)
    assert.equal(await driver.extend(lease, 20_000, call), undefined, 'of the old version')
    assert.equal(await driver.release(lease.key, found!.version, call), true)
  },

  async 'the reply to a release is lost: unknown, and the next holder’s is not touched'(setting) {
    const { proxy, driver, witness, claim } = setting
    const lease = held(await driver.claim(claim(), call))
    proxy.losing = 'replies'
    const result = driver.release(lease.key, lease.version, call)
    result.catch(() => undefined)
    await until(async () => (await witness.find(lease.key, call)) === undefined)
    const next = held(await witness.claim(claim(), call))
    proxy.cutAll()
    await assert.rejects(result, OutcomeUnknownError)
    await proxy.heal()
    assert.equal(await eventually(() => driver.release(lease.key, lease.version, call)), false)
    assert.equal((await driver.find(next.key, call))?.holder.owner, next.holder.owner)
  },

  async 'an extension says how early the server may end it, whatever the lease said'({ driver, claim }) {
    const lease = held(await driver.claim(claim(), call))
    // As a lease is that was read back or restored.
    const read = { ...lease, granularityMs: 0, from: Number.NEGATIVE_INFINITY }
    assert.equal((await driver.extend(read, 20_000, call))?.granularityMs, lease.granularityMs)
  },

  async 'who waits in a queue and gives up is told, also when the server hangs'({ proxy, driver, claim }) {
    held(await driver.claim(claim(), call))
    const controller = new AbortController()
    const reason = new Error('enough')
    const waiting = driver.claim(
      { ...claim(), waitMs: 3_600_000 },
      { ...call, deadlineMs: 500, signal: controller.signal },
    )
    waiting.catch(() => undefined)
    await sleep(300)
    proxy.hang()
    controller.abort(reason)
    try {
      // A server without queues has answered before.
      const error = await waiting.catch((error) => error)
      if (error instanceof OutcomeUnknownError) assert.equal(error.cause, reason)
    } finally {
      proxy.resume()
    }
  },

  async 'who stops listing leaves no connection behind'({ proxy, driver, claim }) {
    const { key } = held(await driver.claim(claim(), call))
    const open = proxy.open
    try {
      for await (const found of driver.list(key, call)) {
        assert.equal(found.key, key)
        break
      }
    } catch (error) {
      // One that cannot list.
      assert.ok(error instanceof LockUnavailableError)
    }
    await until(async () => proxy.open <= open)
  },

  async 'no reply in time is unknown too'({ proxy, driver, claim }) {
    const lease = extendedAtOnce(held(await driver.claim(claim(), call)))
    proxy.losing = 'replies'
    await assert.rejects(driver.extend(lease, 20_000, { ...call, deadlineMs: 50 }), OutcomeUnknownError)
  },

  async 'a question without an answer is no unknown outcome'({ proxy, driver, claim }) {
    proxy.losing = 'replies'
    await assert.rejects(driver.find(claim().key, { ...call, deadlineMs: 50 }), LockUnavailableError)
  },

  async 'a server that is down is unavailable, and nothing is left there'({ proxy, driver, witness, claim }) {
    const mine = claim()
    await proxy.refuse()
    proxy.cutAll()
    await until(async () => {
      const error = await driver.claim(mine, call).catch((error) => error)
      return error instanceof LockUnavailableError
    })
    await assert.rejects(driver.claim(mine, call), LockUnavailableError)
    assert.equal(await witness.find(mine.key, call), undefined)
    await proxy.heal()
    await until(async () => (await driver.claim(mine, call).catch(() => undefined))?.status === 'held')
  },

  async 'the same server after a blip of the connection extends and releases'({ proxy, driver, claim }) {
    const lease = held(await driver.claim(claim(), call))
    proxy.cutAll('fin')
    const extended = await eventually(() => driver.extend(lease, 20_000, call))
    proxy.cutAll('fin')
    assert.equal(await eventually(() => driver.release(lease.key, extended!.version, call)), true)
  },
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; !(await condition()); i++) {
    assert.ok(i < 1000, 'it never comes')
    await sleep(10)
  }
}

/** A connection that has just ended may be noticed by the request that it takes along. */
export async function eventually<R>(run: () => Promise<R>): Promise<R> {
  for (let tries = 0; ; tries++) {
    try {
      return await run()
    } catch (error) {
      if (tries === 100) throw error
      await sleep(10)
    }
  }
}
