import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidArgumentError } from 'latchkey/client'
import { wireKey } from '#dist/client/key.js'

test('text travels as UTF-8, bytes as they are or in base64', () => {
  const plain = (text: string) => ({ text, base64: false })
  assert.deepEqual(wireKey('user:42', ''), plain('user:42'))
  assert.deepEqual(wireKey('42', 'user:'), plain('user:42'))
  assert.deepEqual(wireKey('ключ', ''), plain(Buffer.from('ключ').toString('latin1')))
  assert.deepEqual(wireKey(Buffer.from('user:42'), ''), plain('user:42'))
  assert.deepEqual(wireKey(Buffer.from('ключ'), ''), wireKey('ключ', ''))
  for (const bytes of [[0], [32], [10], [127], [255, 0], [...Buffer.from('a b')]]) {
    const key = { text: Buffer.from(bytes).toString('base64'), base64: true }
    assert.deepEqual(wireKey(Uint8Array.from(bytes), ''), key)
  }
  assert.deepEqual(wireKey(Buffer.from(' '), 'p:'), { text: Buffer.from('p: ').toString('base64'), base64: true })
  // A view into a larger buffer.
  assert.deepEqual(wireKey(Buffer.from('xxkeyxx').subarray(2, 5), ''), plain('key'))
})

test('250 bytes of what stands on the line', () => {
  const fits = ['k'.repeat(250), 'é'.repeat(125), Buffer.alloc(250, 'k'), Buffer.alloc(186, 0)]
  for (const key of fits) assert.ok(wireKey(key, '').text.length <= 250)
  const tooLong = ['k'.repeat(251), 'é'.repeat(126), Buffer.alloc(251, 'k'), Buffer.alloc(187, 0)]
  for (const key of tooLong) assert.throws(() => wireKey(key, ''), InvalidArgumentError)
  assert.throws(() => wireKey('k'.repeat(249), 'p:'), /251 bytes/)
})

test('what is no key', () => {
  const wrong = [
    '',
    'a b',
    'a\n',
    'a\0',
    '\x7f',
    ' ',
    new Uint8Array(0),
    5,
    null,
    undefined,
    {},
    ['a'],
    new Uint16Array(2),
  ]
  for (const key of wrong) assert.throws(() => wireKey(key as string, ''), InvalidArgumentError, String(key))
})
