import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { DeadlineExceededError, UpdateConflictError } from 'latchkey/client'
import type { Case } from './case.js'

const plusOne = (now: string | undefined) => `${Number(now ?? '0') + 1}`

export const updateCases: readonly Case[] = [
  {
    name: 'update makes, changes and leaves alone',
    run: async ({ client }) => {
      assert.equal(await client.update('k', plusOne), '1')
      assert.equal(await client.update('k', plusOne), '2')
      assert.equal(await client.update('k', async (now) => `${now}!`), '2!')
      assert.equal(await client.get('k'), '2!')
      const before = await client.gets('k')
      assert.equal(await client.update('k', () => undefined), '2!')
      assert.deepEqual(await client.gets('k'), before)
      assert.equal(await client.update('missing', () => undefined), undefined)
      assert.equal(await client.get('missing'), undefined)
    },
  },
  {
    name: 'twenty updates at once lose nothing, of one client and of four',
    run: async ({ client, create }) => {
      const patient = { deadlineMs: 30_000 }
      await Promise.all(Array.from({ length: 20 }, () => client.update('one', plusOne, patient)))
      assert.equal(await client.get('one'), '20')
      const clients = [client, create(), create(), create()]
      await Promise.all(Array.from({ length: 20 }, (_, i) => clients[i % 4].update('four', plusOne, patient)))
      assert.equal(await client.get('four'), '20')
    },
  },
  {
    name: 'what the change throws is what the caller gets, and nothing is stored',
    run: async ({ client }) => {
      const reason = new Error('no')
      await client.set('k', 'v')
      const failing = client.update('k', () => {
        throw reason
      })
      await assert.rejects(failing, (error) => error === reason)
      await assert.rejects(
        client.update('k', () => Promise.reject(reason)),
        (error) => error === reason,
      )
      assert.equal(await client.get('k'), 'v')
    },
  },
  {
    name: 'when others are always faster, update says so',
    run: async ({ client, create }) => {
      const other = create()
      await client.set('k', 'v')
      const change = async () => {
        await other.set('k', 'others')
        return 'mine'
      }
      let error: unknown
      // Its time may also end in the middle of an attempt, or after one, where all is slow.
      const isTooShort = () =>
        error instanceof DeadlineExceededError || (error instanceof UpdateConflictError && error.attempts < 2)
      for (let deadlineMs = 200; error === undefined || isTooShort(); deadlineMs *= 2) {
        const losing = client.update('k', change, { deadlineMs })
        error = await losing.then(assert.fail, (reason: unknown) => reason)
      }
      assert.ok(error instanceof UpdateConflictError, String(error))
      assert.equal(await client.get('k'), 'others')
    },
  },
  {
    name: 'an update of what vanishes meanwhile begins again',
    run: async ({ client, create }) => {
      const other = create()
      await client.set('k', 'old')
      const seen: (string | undefined)[] = []
      const result = await client.update('k', async (now) => {
        seen.push(now)
        if (seen.length === 1) await other.delete('k')
        await sleep(1)
        return 'new'
      })
      assert.deepEqual([result, ...seen], ['new', 'old', undefined])
    },
  },
]
