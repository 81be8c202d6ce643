import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, ClientClosedError, type ListedKey, ServerError, TooManyKeysError } from 'latchkey/client'
import { asBytes, type Case } from './case.js'

const noList = ({ name }: { name: string }) => /without meta/.test(name) && 'the double cannot list its keys'

export const sessionCases: readonly Case[] = [
  {
    name: 'a session is one connection, and goes with it wherever the key belongs',
    run: async ({ create, servers, kind }) => {
      const client = create({ connections: 3 })
      const session = await client.session('k')
      assert.equal(session.server, client.serverOf('k'))
      assert.equal(session.meta, kind.meta)
      assert.ok(servers.includes(session.server))
      const names = Array.from({ length: 60 }, (_, i) => `k${i}`)
      // Fails unless all of them go out on that one.
      await Promise.all(names.map((name) => client.set(name, 'v', { session })))
      const there = await Promise.all(names.map((name) => client.get(name, { session })))
      assert.deepEqual(new Set(there), new Set(['v']))
      const elsewhere = names.filter((name) => client.serverOf(name) !== session.server)
      if (servers.length > 1) assert.ok(elsewhere.length > 0)
      for (const name of elsewhere) assert.equal(await client.get(name), undefined, 'its own server was asked')
      assert.deepEqual([...(await client.stats('', { session })).keys()], [session.server])
    },
  },
  {
    name: 'a session of another client is none of this one’s',
    run: async ({ create }) => {
      const [one, other] = [create(), create()]
      const session = await one.session('k')
      await other.set('k', 'v')
      await assert.rejects(other.set('k', 'w', { session }), { code: 'SESSION_ENDED', server: session.server })
      assert.equal(await one.get('k', { session }), 'v', 'it was sent')
    },
  },
  {
    name: 'a duplicate has connections of its own, and all the rest',
    run: async ({ create }) => {
      const client = create()
      const own = client.duplicate()
      await client.set('k', 'v')
      assert.equal(await own.get('k'), 'v')
      assert.notEqual((await own.session('k')).id, (await client.session('k')).id)
      await client.close()
      assert.equal(await own.get('k'), 'v')
      await own.close()
    },
  },
  {
    name: 'hanging up, what was sent is still answered, and nothing else is sent',
    run: async ({ create, client }) => {
      const leaving = create()
      await leaving.version()
      const sent = Array.from({ length: 100 }, (_, i) => leaving.set(`k${i}`, 'v'))
      const gone = leaving.hangUp()
      await assert.rejects(leaving.set('l', 'v'), ClientClosedError)
      assert.deepEqual(new Set(await Promise.all(sent)), new Set([true]))
      await gone
      assert.equal(await client.get('k99'), 'v')
      const unused = create()
      const waiting = unused.get('k')
      void unused.hangUp()
      await assert.rejects(waiting, ClientClosedError)
    },
  },
  {
    name: 'keys are listed by their beginning, as they were given',
    skip: noList,
    run: async ({ client, servers, prefix, create }) => {
      const odd = ['per%cent', 'grüße', 'a+b=c&d', 'x'.repeat(100)]
      for (const key of odd) await client.set(`p:${key}`, 'v')
      await client.set('other', 'v')
      await client.set('p:ends', 'v', { ttl: '1h' })
      const found = await list(client, 'p:')
      assert.deepEqual(found.map(({ key }) => key).sort(), [...odd, 'ends'].map((key) => `p:${key}`).sort())
      for (const { key, cas, server, expiresAt } of found) {
        assert.equal((await client.gets(key))?.cas, cas)
        assert.equal(server, client.serverOf(key))
        if (key !== 'p:ends') assert.equal(expiresAt, undefined)
        else assert.ok(Math.abs(expiresAt!.getTime() - Date.now() - 3_600_000) < 60_000, `${expiresAt}`)
      }
      const bare = create({ keyPrefix: '' })
      assert.equal((await list(bare, `${prefix}p:`)).length, odd.length + 1)
      await assert.rejects(list(client, 'p:', servers.length > 1 ? 1 : odd.length), TooManyKeysError)
      // As soon as the caller has had enough, so has the client.
      for await (const { key } of client.keys({ prefix: 'p:' })) {
        assert.ok(key !== 'other')
        break
      }
      await client.get('k')
    },
  },
  {
    name: 'keys that are no text are listed as bytes',
    skip: (kind) => noList(kind) || (!kind.meta && 'the protocol has no such keys'),
    run: async ({ client }) => {
      const key = Buffer.from([0x62, 0x3a, 0, 10, 0xff, 32])
      await asBytes(client).set(key, Buffer.from('v'))
      const found = await list(client, 'b:')
      assert.deepEqual(
        found.map(({ key }) => key),
        [key],
      )
    },
  },
  {
    name: 'where keys cannot be listed, that is told',
    skip: (kind) => !noList(kind) && 'it lists them',
    run: async ({ client }) => {
      await assert.rejects(list(client, ''), { code: 'REQUEST_REFUSED' })
    },
  },
]

/** A server that lists keys for somebody else, or for itself, is asked again. */
async function list(client: Client<string>, prefix: string, limit?: number): Promise<ListedKey[]> {
  for (;;) {
    const found: ListedKey[] = []
    try {
      for await (const key of client.keys({ prefix, ...(limit !== undefined && { limit }) })) found.push(key)
      return found
    } catch (error) {
      if (!(error instanceof ServerError) || !/crawler/.test(error.message)) throw error
      await sleep(20)
    }
  }
}
