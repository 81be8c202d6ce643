import assert from 'node:assert/strict'
import { bytes, type Codec, CodecError, json, ServerError } from 'latchkey/client'
import { asBytes, type Case } from './case.js'

const mib = 1_048_576

/** Keeps a number in the flags, and nothing else. */
const inFlags: Codec<number> = {
  encode: (flags) => ({ data: '', flags }),
  decode: (data, flags) => {
    if (data.length > 0) throw new CodecError('not written by this codec')
    return flags
  },
}

export const valueCases: readonly Case[] = [
  {
    name: 'empty values',
    run: async ({ client }) => {
      await client.set('k', '')
      assert.equal(await client.get('k'), '')
      assert.deepEqual(await client.getMany(['k', 'l']), new Map([['k', '']]))
      assert.equal((await client.gets('k'))?.value, '')
      assert.equal(await client.gat('k', '1h'), '')
      assert.equal(await client.append('k', ''), true)
      assert.equal(await client.add('k', 'x'), false)
      assert.equal(await client.get('k'), '')
    },
  },
  {
    name: 'values that look like replies',
    run: async ({ client }) => {
      const values = [
        'END\r\n',
        '\r\n',
        'VALUE k 0 1\r\nx\r\nEND\r\n',
        'HD\r\n',
        'ERROR\r\nSERVER_ERROR x\r\n',
        '\r',
        '\n',
      ]
      await Promise.all(values.map((value, i) => client.set(`k${i}`, value)))
      for (const [i, value] of values.entries()) assert.equal(await client.get(`k${i}`), value)
      const found = await client.getMany(values.map((_, i) => `k${i}`))
      for (const [i, value] of values.entries()) assert.equal(found.get(`k${i}`), value)
    },
  },
  {
    name: 'text is UTF-8, and bytes are bytes',
    run: async ({ client }) => {
      await client.set('text', 'naïve ☂ 🔑')
      assert.equal(await client.get('text'), 'naïve ☂ 🔑')
      const all = Uint8Array.from({ length: 4096 }, (_, i) => i % 256)
      const raw = asBytes(client)
      await raw.set('bytes', all)
      assert.deepEqual(Buffer.from((await raw.get('bytes'))!), Buffer.from(all))
      assert.deepEqual(Buffer.from((await raw.getMany(['bytes'])).get('bytes')!), Buffer.from(all))
    },
  },
  {
    name: 'values of every length around the buffers, and of almost a megabyte',
    run: async ({ client }) => {
      const raw = asBytes(client)
      const lengths = [1, 4095, 16_383, 16_384, 65_535, 65_536, 65_537, 200_000, mib - 1000]
      const values = lengths.map((length) => Buffer.alloc(length, `value of ${length} bytes `))
      await Promise.all(values.map((value, i) => raw.set(`k${i}`, value)))
      const found = await Promise.all(values.map((_, i) => raw.get(`k${i}`)))
      for (const [i, value] of found.entries()) assert.ok(values[i].equals(value!), `${lengths[i]} bytes`)
      const many = await raw.getMany(values.map((_, i) => `k${i}`))
      for (const [i, value] of values.entries()) assert.ok(value.equals(many.get(`k${i}`)!), `${lengths[i]} bytes`)
    },
  },
  {
    name: 'what a caller got stays as it is',
    run: async ({ client }) => {
      const raw = asBytes(client)
      await raw.set('a', Buffer.alloc(1000, 'a'))
      await raw.set('b', Buffer.alloc(1000, 'b'))
      const kept = (await raw.get('a'))!
      for (let i = 0; i < 100; i++) await raw.get('b')
      assert.ok(Buffer.from(kept).equals(Buffer.alloc(1000, 'a')))
    },
  },
  {
    name: 'a value too large is refused in words, takes the old one with it, and the client stays in step',
    run: async ({ client }) => {
      await client.set('k', 'old')
      await client.set('other', 'untouched')
      const large = client.set('k', 'x'.repeat(3 * mib))
      const behind = client.get('other')
      await assert.rejects(large, { name: 'ServerError', code: 'SERVER_ERROR', message: /too large/ })
      assert.equal(await behind, 'untouched')
      assert.equal(await client.get('k'), undefined)
      await assert.rejects(client.add('k', 'x'.repeat(2 * mib)), ServerError)
      assert.equal(await client.set('k', 'new'), true)
      assert.equal(await client.get('k'), 'new')
    },
  },
  {
    name: 'flags are 32 bits, kept by the server',
    run: async ({ client }) => {
      const flags = client.with({ codec: inFlags })
      const values = [0, 1, 0x8000_0000, 0xdead_beef, 0xffff_ffff]
      await Promise.all(values.map((value) => flags.set(`f${value}`, value)))
      for (const value of values) {
        assert.equal(await flags.get(`f${value}`), value)
        assert.equal(await flags.gat(`f${value}`, '1h'), value)
        assert.equal((await flags.gets(`f${value}`))?.value, value)
      }
      const found = await flags.getMany(values.map((value) => `f${value}`))
      for (const value of values) assert.equal(found.get(`f${value}`), value)
      await client.with({ codec: bytes() }).append('f1', Buffer.alloc(0))
      assert.equal(await flags.get('f1'), 1)
      const { cas } = (await flags.gets('f0'))!
      assert.equal(await flags.cas('f0', 12, cas), 'stored')
      assert.equal(await flags.get('f0'), 12)
    },
  },
  {
    name: 'what a codec cannot read is one error, and nothing is out of step',
    run: async ({ client }) => {
      const flags = client.with({ codec: inFlags })
      await client.set('text', 'not for this codec')
      await flags.set('good', 7)
      const [bad, good] = await Promise.allSettled([flags.get('text'), flags.get('good')])
      assert.ok(bad.status === 'rejected' && bad.reason instanceof CodecError)
      assert.ok(good.status === 'fulfilled' && good.value === 7)
      await assert.rejects(flags.gets('text'), CodecError)
      await assert.rejects(flags.gat('text', '1h'), CodecError)
      await assert.rejects(flags.getMany(['good', 'text', 'missing']), CodecError)
      assert.deepEqual(await flags.getMany(['good', 'missing']), new Map([['good', 7]]))
      assert.equal(await client.get('text'), 'not for this codec')
    },
  },
  {
    name: 'what a codec cannot write is not sent',
    run: async ({ client }) => {
      const values = client.with({ codec: json<unknown>() })
      const loop: { self?: unknown } = {}
      loop.self = loop
      await assert.rejects(values.set('k', loop), CodecError)
      await assert.rejects(values.cas('k', loop, 1n), CodecError)
      assert.equal(await client.get('k'), undefined)
      await values.set('k', { a: [1, 'two', null] })
      assert.deepEqual(await values.get('k'), { a: [1, 'two', null] })
    },
  },
]
