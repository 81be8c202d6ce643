import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { type Client, ClientClosedError } from 'latchkey/client'
import type { Case } from './case.js'

const calls: Record<string, (client: Client<string>, signal?: AbortSignal) => Promise<unknown>> = {
  get: (client, signal) => client.get('k', optional(signal)),
  gets: (client, signal) => client.gets('k', optional(signal)),
  gat: (client, signal) => client.gat('k', '1h', optional(signal)),
  getMany: (client, signal) => client.getMany(['k', 'l'], optional(signal)),
  set: (client, signal) => client.set('k', 'v', optional(signal)),
  add: (client, signal) => client.add('k', 'v', optional(signal)),
  append: (client, signal) => client.append('k', 'v', optional(signal)),
  cas: (client, signal) => client.cas('k', 'v', 1n, optional(signal)),
  incr: (client, signal) => client.incr('n', 1, optional(signal)),
  delete: (client, signal) => client.delete('k', optional(signal)),
  touch: (client, signal) => client.touch('k', '1h', optional(signal)),
  update: (client, signal) => client.update('k', () => 'v', optional(signal)),
  fetch: (client, signal) => client.fetch('k', '1h', () => 'v', optional(signal)),
  stats: (client, signal) => client.stats('', optional(signal)),
  version: (client, signal) => client.version(optional(signal)),
}

function optional(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

export const lifecycleCases: readonly Case[] = [
  {
    name: 'a signal that has been given ends every call, with its reason, before it does anything',
    run: async ({ client }) => {
      const reason = new Error('enough')
      const signal = AbortSignal.abort(reason)
      for (const [name, call] of Object.entries(calls))
        await assert.rejects(call(client, signal), (error) => error === reason, name)
      assert.equal(await client.get('k'), undefined)
    },
  },
  {
    name: 'a signal ends the waiting, and does not gather listeners',
    run: async ({ client }) => {
      const controller = new AbortController()
      for (const call of Object.values(calls)) await call(client, controller.signal)
      assert.ok(getEventListeners(controller.signal, 'abort').length <= 1, 'a listener for every call')
      const reason = new Error('enough')
      const waiting = Object.entries(calls).map(async ([name, call]) => {
        await assert.rejects(call(client, controller.signal), (error) => error === reason, name)
      })
      controller.abort(reason)
      await Promise.all(waiting)
      assert.ok(getEventListeners(controller.signal, 'abort').length <= 1, 'a listener for every call')
      // Their replies came all the same, and nobody else got them.
      await client.set('k', 'mine')
      assert.equal(await client.get('k'), 'mine')
    },
  },
  {
    name: 'close waits for what is under way, and then refuses everything',
    run: async ({ create }) => {
      const client = create()
      const view = client.with({ keyPrefix: 'other:' })
      const under = Array.from({ length: 100 }, (_, i) => client.set(`k${i}`, 'v'))
      const closed = client.close()
      for (const [name, call] of Object.entries(calls)) await assert.rejects(call(client), ClientClosedError, name)
      assert.deepEqual(new Set(await Promise.all(under)), new Set([true]))
      await closed
      await client.close()
      await assert.rejects(view.get('k'), { name: 'ClientClosedError', code: 'CLIENT_CLOSED' })
      const unused = create()
      await unused.close()
      await assert.rejects(unused.get('k'), ClientClosedError)
    },
  },
  {
    name: 'await using closes',
    run: async ({ create }) => {
      let kept: Client<string>
      {
        await using client = create()
        kept = client
        await client.set('k', 'v')
      }
      await assert.rejects(kept.get('k'), ClientClosedError)
    },
  },
  {
    name: 'with changes what it is told to, and shares the rest',
    run: async ({ client, create }) => {
      const own = create()
      const view = own.with({ ttl: new Date(Date.now() - 60_000) })
      await own.set('k', 'v')
      assert.equal(await view.get('k'), 'v')
      await view.set('k', 'w')
      assert.equal(await own.get('k'), undefined, 'stored with the ttl of the view')
      await view.close()
      await assert.rejects(own.get('k'), ClientClosedError)
      assert.equal(await client.get('k'), undefined, 'another client is not closed')
    },
  },
  {
    name: 'several connections to each server',
    run: async ({ create }) => {
      const client = create({ connections: 3 })
      const names = Array.from({ length: 300 }, (_, i) => `k${i}`)
      await Promise.all(names.map((name) => client.set(name, `of ${name}`)))
      const values = await Promise.all(names.map((name) => client.get(name)))
      assert.deepEqual(
        values,
        names.map((name) => `of ${name}`),
      )
    },
  },
]
