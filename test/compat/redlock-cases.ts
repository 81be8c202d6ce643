/** What redlock documents, told once for both. Each case has resources of its own: they run at the same time. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Setting } from './kinds.js'

export interface Case {
  readonly name: string
  run(setting: Setting): Promise<void>
}

const once = { retryCount: 0 }

export const cases: readonly Case[] = [
  {
    name: 'a lock is acquired, extended, released, and acquired by the next',
    async run({ create, ExecutionError }) {
      const redlock = create(once)
      const other = create(once)
      let lock = await redlock.acquire(['a'], 20_000)
      const first = lock
      try {
        assert.deepEqual(lock.resources, ['a'])
        assert.match(lock.value, /^[0-9a-f]{32}$/)
        assert.ok(lock.expiration > Date.now() && lock.expiration <= Date.now() + 20_000)
        await assert.rejects(other.acquire(['a'], 20_000), ExecutionError)
        lock = await lock.extend(40_000)
        assert.ok(lock.expiration > Date.now() + 20_000)
        assert.equal(lock.value, first.value)
        assert.equal(first.expiration, 0)
        await assert.rejects(first.extend(20_000), ExecutionError)
      } finally {
        await lock.release()
      }
      assert.equal(lock.expiration, 0)
      await (await other.acquire(['a'], 20_000)).release()
    },
  },
  {
    name: 'a lock may be released by what it was before it was extended',
    async run({ create }) {
      const redlock = create(once)
      const lock = await redlock.acquire(['before'], 20_000)
      await lock.extend(20_000)
      await lock.release()
      await (await redlock.acquire(['before'], 20_000)).release()
    },
  },
  {
    name: 'several resources: all or none',
    async run({ create, ExecutionError }) {
      const redlock = create(once)
      const lock = await redlock.acquire(['sender', 'recipient'], 20_000)
      await assert.rejects(redlock.acquire(['aside', 'recipient'], 20_000), ExecutionError)
      await (await redlock.acquire(['aside'], 20_000)).release()
      await (await lock.extend(20_000)).release()
    },
  },
  {
    name: 'what is locked is told by ExecutionError, its attempts, and the event error',
    async run({ create, ExecutionError, ResourceLockedError }) {
      const redlock = create({ retryCount: 2, retryDelay: 20, retryJitter: 10 })
      const errors: unknown[] = []
      redlock.on('error', (error) => errors.push(error))
      const lock = await redlock.acquire(['told'], 20_000)
      const error = await redlock.acquire(['told'], 20_000).catch((error) => error)
      assert.ok(error instanceof ExecutionError)
      assert.equal(error.attempts.length, 3)
      for (const { votesFor, votesAgainst } of await Promise.all(error.attempts)) {
        assert.equal(votesFor.size, 0)
        assert.ok([...votesAgainst.values()].every((vote) => vote instanceof ResourceLockedError))
        assert.equal(votesAgainst.size, 1)
      }
      assert.ok(errors.length >= 3)
      assert.ok(errors.every((each) => each instanceof ResourceLockedError))
      for (const { attempts } of [lock, await lock.release()]) {
        assert.equal(attempts.length, 1)
        const { membershipSize, quorumSize, votesFor, votesAgainst } = await attempts[0]
        assert.deepEqual([membershipSize, quorumSize, votesFor.size, votesAgainst.size], [1, 1, 1, 0])
      }
    },
  },
  {
    name: 'who tries again gets it when it is free; −1 is without end',
    async run({ create }) {
      const redlock = create({ retryCount: -1, retryDelay: 20, retryJitter: 0 })
      const lock = await redlock.acquire(['again'], 20_000)
      const waiting = redlock.acquire(['again'], 20_000)
      await sleep(100)
      await lock.release()
      await (await waiting).release()
      const patient = create({ retryCount: 3, retryDelay: 0, retryJitter: 0 })
      await patient.acquire(['again'], 20_000)
      await assert.rejects(patient.acquire(['again'], 20_000))
    },
  },
  {
    name: 'settings of one call go before those of all',
    async run({ create }) {
      const redlock = create({ retryCount: -1, retryDelay: 10 })
      const lock = await redlock.acquire(['call'], 20_000)
      const error = await redlock.acquire(['call'], 20_000, once).catch((error) => error)
      assert.equal(error.attempts.length, 1)
      await lock.release()
    },
  },
  {
    name: 'using: the routine’s value, the lock kept beyond its duration, and free after that',
    async run({ create, ExecutionError }) {
      const redlock = create({ ...once, automaticExtensionThreshold: 1500 })
      const value = await redlock.using(['u1', 'u2'], 2000, async (signal) => {
        await sleep(2200)
        await assert.rejects(redlock.acquire(['u2'], 600), ExecutionError)
        if (signal.aborted) throw signal.error
        return 42
      })
      assert.equal(value, 42)
      await (await redlock.acquire(['u1', 'u2'], 600)).release()
    },
  },
  {
    name: 'using: the routine’s error is told, and the lock is free',
    async run({ create }) {
      const redlock = create()
      const failing = redlock.using(['failing'], 20_000, once, async () => {
        throw new Error('the routine’s own')
      })
      await assert.rejects(failing, /the routine’s own/)
      await (await redlock.acquire(['failing'], 20_000, once)).release()
    },
  },
  {
    name: 'using: a lock that is lost aborts the signal, which tells why',
    async run({ create, takeAway, ExecutionError }) {
      const redlock = create({ ...once, automaticExtensionThreshold: 200 })
      const using = redlock.using(['lost'], 1000, async (signal) => {
        await takeAway('lost')
        while (!signal.aborted) await sleep(10)
        assert.ok(signal.aborted)
        assert.equal(signal.reason.name, 'AbortError')
        assert.ok(signal.error instanceof ExecutionError)
        throw signal.error
      })
      await assert.rejects(using, ExecutionError)
    },
  },
  {
    name: 'using: a routine that did not look is told by ExecutionError that its lock was lost',
    async run({ create, takeAway, ExecutionError }) {
      const using = create(once).using(['unseen'], 20_000, () => takeAway('unseen'))
      await assert.rejects(using, ExecutionError)
    },
  },
  {
    name: 'a lock that has ended can neither be extended nor released, and the next holder’s is not touched',
    async run({ create, ExecutionError }) {
      const redlock = create(once)
      const lock = await redlock.acquire(['ended'], 600)
      await sleep(650)
      const error = await lock.extend(20_000).catch((error) => error)
      assert.ok(error instanceof ExecutionError)
      assert.equal(error.attempts.length, 0)
      const next = await redlock.acquire(['ended'], 20_000)
      await assert.rejects(lock.release(), ExecutionError)
      await (await next.extend(20_000)).release()
    },
  },
  {
    name: 'a lock that was taken away is not made anew by an extension',
    async run({ create, takeAway, ExecutionError }) {
      const redlock = create(once)
      const lock = await redlock.acquire(['anew'], 20_000)
      await takeAway('anew')
      await assert.rejects(lock.extend(20_000), ExecutionError)
      await (await redlock.acquire(['anew'], 20_000)).release()
    },
  },
  {
    name: 'durations that are no whole numbers or too short, and no clients, are refused',
    async run({ create, construct }) {
      const redlock = create()
      const lock = await redlock.acquire(['refused'], 20_000)
      const broken = /whole number|integer/
      const routine = async () => assert.fail('it must not run')
      await assert.rejects(lock.extend(1000.5), broken)
      await lock.release()
      await assert.rejects(redlock.acquire(['refused'], 1000.5), broken)
      await assert.rejects(redlock.using(['refused'], 1000.5, routine), broken)
      await assert.rejects(redlock.using(['refused'], 599, routine), /automaticExtensionThreshold/)
      await assert.rejects(redlock.using(['refused'], 1000, {}, undefined as never), /function/)
      assert.throws(() => construct([]), /at least one/)
      await (await redlock.acquire(['refused'], 20_000, once)).release()
    },
  },
]
