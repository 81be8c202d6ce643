import assert from 'node:assert/strict'
import { InvalidArgumentError, UnsupportedError } from 'latchkey/client'
import { type Case, needsMeta } from './case.js'

const withSpaces = Buffer.from('a key\0with\r\nspaces \xff', 'latin1')

export const keyCases: readonly Case[] = [
  {
    name: 'keys of any bytes',
    skip: needsMeta,
    run: async ({ client }) => {
      await client.set(withSpaces, 'v')
      assert.equal(await client.get(withSpaces), 'v')
      assert.equal((await client.gets(Uint8Array.from(withSpaces)))?.value, 'v')
      const other = Buffer.from('missing one')
      assert.deepEqual(await client.getMany([withSpaces, other, 'plain']), new Map([[withSpaces, 'v']]))
      assert.equal(await client.append(withSpaces, 'w'), true)
      const { cas } = (await client.gets(withSpaces))!
      assert.equal(await client.cas(withSpaces, '1', cas), 'stored')
      assert.equal(await client.incr(withSpaces), 2n)
      assert.equal(await client.touch(withSpaces, '1h'), true)
      assert.equal(await client.gat(withSpaces, '1h'), '2')
      assert.equal((await client.meta('mg', withSpaces, ['v'])).value?.toString(), '2')
      assert.equal(await client.update(withSpaces, (now) => `${now}!`), '2!')
      assert.equal(await client.delete(withSpaces), true)
      assert.equal(await client.get(withSpaces), undefined)
      assert.equal(await client.fetch(withSpaces, '1h', () => 'made'), 'made')
      assert.equal(await client.get(withSpaces), 'made')
    },
  },
  {
    name: 'keys of any bytes are refused where they cannot travel, and nothing is sent',
    skip: ({ meta }) => meta && 'the server has meta commands',
    run: async ({ client }) => {
      for (const call of [
        client.get(withSpaces),
        client.set(withSpaces, 'v'),
        client.getMany(['plain', withSpaces]),
        client.incr(withSpaces),
        client.delete(withSpaces),
        client.touch(withSpaces, '1h'),
      ])
        await assert.rejects(call, UnsupportedError)
      await client.set('plain', 'still in step')
      assert.equal(await client.get('plain'), 'still in step')
    },
  },
  {
    name: 'bytes and text of the same key are the same key',
    run: async ({ client }) => {
      await client.set('clé-🔑', 'v')
      assert.equal(await client.get(Buffer.from('clé-🔑')), 'v')
      // Its last byte looks like a space to those who take bytes for Latin-1.
      await client.set('voilà', 'w')
      assert.deepEqual(
        await client.getMany(['voilà', 'clé-🔑', 'cle']),
        new Map([
          ['voilà', 'w'],
          ['clé-🔑', 'v'],
        ]),
      )
      assert.equal(await client.delete('voilà'), true)
    },
  },
  {
    name: 'keys that base64 would make of others stay apart',
    skip: needsMeta,
    run: async ({ create, prefix }) => {
      const client = create({ keyPrefix: '' })
      const binary = Buffer.from(`${prefix} x`)
      await client.set(binary, 'binary')
      await client.set(binary.toString('base64'), 'text')
      assert.equal(await client.get(binary), 'binary')
      assert.equal(await client.get(binary.toString('base64')), 'text')
    },
  },
  {
    name: 'keys of 250 bytes, and not of 251',
    run: async ({ create, kind, prefix }) => {
      const client = create({ keyPrefix: '' })
      const even = prefix.length % 2 === 0 ? prefix : `${prefix}k`
      const keys = [prefix.padEnd(250, 'k'), even.padEnd(even.length + (250 - even.length) / 2, 'é')]
      for (const key of keys) {
        assert.equal(Buffer.byteLength(key), 250)
        await client.set(key, 'long')
        assert.equal(await client.get(key), 'long')
        assert.deepEqual(await client.getMany([key]), new Map([[key, 'long']]))
        assert.equal(await client.delete(key), true)
        await assert.rejects(client.get(`${key}k`), InvalidArgumentError)
      }
      const binary = Buffer.from(prefix.padEnd(186, ' '))
      if (kind.meta) assert.equal(await client.set(binary, 'v'), true)
      if (kind.meta) assert.equal(await client.get(binary), 'v')
      await assert.rejects(client.get(Buffer.from(prefix.padEnd(187, ' '))), InvalidArgumentError)
    },
  },
  {
    name: 'keyPrefix stands before every key, and nobody sees it',
    run: async ({ client, create, prefix }) => {
      const bare = create({ keyPrefix: '' })
      const inner = client.with({ keyPrefix: `${prefix}inner:` })
      await inner.set('k', 'v')
      assert.equal(await bare.get(`${prefix}inner:k`), 'v')
      assert.equal(await client.get('k'), undefined)
      assert.deepEqual(await inner.getMany(['k', 'l']), new Map([['k', 'v']]))
      await inner.incr('n', 1, { initial: 7 })
      assert.equal(await bare.get(`${prefix}inner:n`), '7')
      assert.equal(inner.serverOf('k'), bare.serverOf(`${prefix}inner:k`))
      assert.equal(await inner.delete('k'), true)
      await assert.rejects(inner.get('k'.repeat(240)), InvalidArgumentError)
    },
  },
]
