import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { OutcomeUnknownError } from 'latchkey/locks'
import { type Case, call, held, sameVersion } from './case.js'

const reason = new Error('enough')
const isReason = (error: unknown) => error === reason

export const abortCases: readonly Case[] = [
  {
    name: 'a signal that was given before ends everything with its reason, and nothing was done',
    run: async ({ create, claim }) => {
      const driver = create()
      const signal = AbortSignal.abort(reason)
      const lease = held(await driver.claim(claim('held'), call))
      await assert.rejects(driver.claim(claim('k'), { ...call, signal }), isReason)
      await assert.rejects(driver.extend(lease, 20_000, { ...call, signal }), isReason)
      await assert.rejects(driver.find(lease.key, { ...call, signal }), isReason)
      assert.equal(await driver.find(claim('k').key, call), undefined)
      assert.ok(sameVersion((await driver.find(lease.key, call))!.version, lease.version))
    },
  },
  {
    name: 'a claim that is aborted at any moment leaves nothing behind, or is held and says so',
    run: async ({ kind, create, claim }) => {
      const outcomes = { held: 0, aborted: 0 }
      const driver = create()
      for (let turn = 0; turn < 60; turn++) {
        const mine = claim(`k${turn}`)
        const controller = new AbortController()
        const result = driver.claim(mine, { ...call, signal: controller.signal })
        abortAfter(turn, controller)
        try {
          const lease = held(await result)
          outcomes.held++
          assert.equal(await driver.release(mine.key, lease.version, call), true)
        } catch (error) {
          assert.ok(error === reason, `${error}`)
          outcomes.aborted++
          assert.equal(await driver.find(mine.key, call), undefined, `left behind in turn ${turn}`)
        }
      }
      if (kind.remote) assert.ok(outcomes.aborted > 0, JSON.stringify(outcomes))
    },
  },
  {
    name: 'an extension that is aborted has happened, or not, or says that nobody knows',
    run: async ({ create, claim }) => {
      const driver = create()
      let lease = held(await driver.claim(claim('k'), call))
      for (let turn = 0; turn < 30; turn++) {
        const controller = new AbortController()
        const result = driver.extend(lease, 20_000, { ...call, signal: controller.signal })
        abortAfter(turn, controller)
        const extended = await result.catch((error) => {
          if (error instanceof OutcomeUnknownError) return 'unknown'
          assert.equal(error, reason)
          return lease
        })
        const found = (await driver.find(lease.key, call))!
        assert.equal(found.holder.owner, lease.holder.owner)
        // Of several servers that are not all known, some may have extended it.
        if (extended !== 'unknown') assert.ok(sameVersion(found.version, (extended ?? lease).version))
        lease = { ...lease, version: found.version }
      }
    },
  },
]

/** Some turns of the event loop later, and then some milliseconds. */
function abortAfter(turn: number, controller: AbortController): void {
  const abort = () => controller.abort(reason)
  if (turn === 0) abort()
  else if (turn < 10) void turns(turn).then(abort)
  else void sleep((turn - 10) / 10).then(abort)
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}
