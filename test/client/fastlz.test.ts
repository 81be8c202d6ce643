import assert from 'node:assert/strict'
import { test } from 'node:test'
import { php } from '#dist/client/codecs/index.js'
import { CodecError } from '#dist/client/errors.js'
import { Random } from '../store/random.js'

const read = (packed: number[] | Buffer, size: number) => {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32LE(size)
  return php().decode(Buffer.concat([prefix, Buffer.from(packed)]), 16 | 64)
}
const ascii = (text: string) => [...Buffer.from(text)]

test('level 1: literals, short and long repeats', () => {
  assert.equal(read([3, ...ascii('abcd')], 4), 'abcd')
  assert.equal(read([3, ...ascii('abcd'), 1 << 5, 3], 7), 'abcdabc')
  assert.equal(read([0, ...ascii('a'), 6 << 5, 0], 9), 'a'.repeat(9))
  assert.equal(read([0, ...ascii('a'), 7 << 5, 255, 0], 265), 'a'.repeat(265))
})

test('level 2: longer repeats, from farther away', () => {
  assert.equal(read([1 << 5, ...ascii('a'), 7 << 5, 255, 255, 1, 0], 521), 'a'.repeat(521))
  // 'b' and 8491 times 'a'; then three bytes from 8192 + 300 before.
  const run = [1 | (1 << 5), ...ascii('ba'), 7 << 5, ...Array(33).fill(255), 66, 0]
  const far = [(1 << 5) | 31, 255, 300 >> 8, 300 & 255]
  assert.equal(read([...run, ...far], 2 + 8490 + 3), `b${'a'.repeat(8491)}baa`)
  // One byte less far there is only the near form.
  const near = [(1 << 5) | 31, 254]
  assert.equal(read([...run, ...near], 2 + 8490 + 3), `b${'a'.repeat(8491 + 3)}`)
})

test('what is no FastLZ is refused, whatever it is', () => {
  const wrong: [number[], number][] = [
    [[], 1],
    [[2 << 5, 97], 1],
    [[1, 97], 2],
    [[0, 97], 2],
    [[1, 97, 98], 1],
    [[0, 97, 1 << 5], 4],
    [[0, 97, 1 << 5, 1], 4],
    [[0, 97, 7 << 5, 255], 265],
    [[(1 << 5) | 0, 97, 7 << 5, 255, 255], 600],
    [[(1 << 5) | 0, 97, (1 << 5) | 31, 255, 0], 4],
  ]
  for (const [packed, size] of wrong) assert.throws(() => read(packed, size), CodecError, `${packed}`)
  const random = new Random(1)
  for (let i = 0; i < 3000; i++) {
    const packed = Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256)))
    try {
      const size = random.below(300)
      const value = read(packed, size)
      assert.equal(Buffer.byteLength(value as string), size)
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
    }
  }
})
