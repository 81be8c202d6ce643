import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import type { Codec } from '#dist/client/codec.js'
import { bytes, compressed, json, type PhpValue, php, pymemcache, text } from '#dist/client/codecs/index.js'
import { CodecError, InvalidArgumentError } from '#dist/client/errors.js'
import { Random } from '../store/random.js'

const numRuns = Number(process.env.LATCHKEY_SOAK === '1' ? 5000 : 300)
const seed = Number(process.env.LATCHKEY_SEED ?? 1)

type Loose = Codec<unknown>
/** Any codec for values of any kind: what it makes of the wrong ones is the question. */
const loose = <T>(codec: Codec<T>) => codec as unknown as Loose

/** What comes back when the server has kept bytes and flags; decoded from a view that is gone after the call. */
function there<T>(codec: Codec<T>, value: T): T {
  const { data, flags } = codec.encode(value)
  assert.equal(flags, flags >>> 0)
  return decode(codec, data, flags)
}

function decode<T>(codec: Codec<T>, data: string | Uint8Array, flags: number): T {
  const received = Buffer.concat([Buffer.from('before'), Buffer.from(data), Buffer.from('after')])
  const value = codec.decode(received.subarray(6, received.length - 5), flags)
  received.fill(0xee)
  return value
}

const utf8 = fc.string({ unit: 'grapheme' })
const binary = fc.uint8Array().map((array) => Buffer.from(array))
const integer = fc.oneof(fc.maxSafeInteger(), fc.integer())
/** JSON has no -0. */
const plain = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)))
const beyond = (min: bigint, max: bigint) => fc.bigInt({ min, max }).filter((n) => !Number.isSafeInteger(Number(n)))

const roundTrips: [name: string, codec: Loose, values: fc.Arbitrary<unknown>][] = [
  ['bytes()', loose(bytes()), binary],
  ['text()', loose(text()), utf8],
  ['json()', loose(json()), plain],
  ['compressed(text())', loose(compressed(text(), { threshold: 0 })), utf8],
  ['compressed(bytes())', loose(compressed(bytes(), { threshold: 0 })), binary],
  ['pymemcache()', loose(pymemcache()), fc.oneof(utf8, integer, binary, beyond(-(2n ** 300n), 2n ** 300n))],
  [
    'php()',
    loose(php({ threshold: 10 })),
    fc.oneof(utf8, fc.double(), integer, fc.boolean(), beyond(-(2n ** 63n), 2n ** 63n - 1n), fc.array(plain)),
  ],
]

for (const [name, codec, values] of roundTrips)
  test(`${name}: what goes in comes out (seed ${seed})`, () => {
    const same = fc.property(values, (value) => assert.deepEqual(there(codec, value), value))
    fc.assert(same, { seed, numRuns })
  })

test('bytes(): its own copy, or memory that nobody else has', () => {
  const whole = Buffer.from(new Uint8Array([1, 2, 3]).buffer)
  assert.equal(bytes().decode(whole, 0), whole)
  assert.notEqual(bytes().decode(whole.subarray(1), 0).buffer, whole.buffer)
  const inner = Buffer.alloc(5000, 'a')
  assert.deepEqual(there(compressed(bytes()), inner), inner)
})

test('flags on the wire', () => {
  const wide = 'a'.repeat(3000)
  const written: [Loose, unknown, number][] = [
    [loose(bytes()), Buffer.from('x'), 0],
    [loose(text()), 'x', 0],
    [loose(json()), { a: 1 }, 6],
    ...(['x', 5, 5n, Buffer.from('x')].map((v, i) => [pymemcache(), v, [16, 2, 2, 0][i]]) as [
      Loose,
      unknown,
      number,
    ][]),
    ...(['x', Buffer.from('x'), 5, 5n, 1.5, -0, true, [1], null].map((v, i) => [
      php(),
      v,
      [0, 0, 1, 1, 2, 2, 3, 6, 6][i],
    ]) as [Loose, unknown, number][]),
    [loose(php()), wide, 48],
    [loose(php()), [wide], 54],
    [loose(php({ threshold: Number.POSITIVE_INFINITY })), wide, 0],
    [loose(compressed(text())), wide, 32768],
    [loose(compressed(pymemcache())), wide, 32784],
  ]
  for (const [codec, value, flags] of written) assert.equal(codec.encode(value).flags, flags, String(value))
})

test('flags of others are refused by number', () => {
  const readable: [string, Loose, number[]][] = [
    ['bytes()', loose(bytes()), [0]],
    ['text()', loose(text()), [0, 16]],
    ['json()', json(), [0, 6, 16]],
    ['pymemcache()', loose(pymemcache()), [0, 2, 4, 16]],
    ['php()', loose(php()), [0, 1, 2, 3, 6]],
    ['text()', loose(compressed(text())), [0, 16]],
  ]
  const all = [...Array(128).keys(), 128, 144, 256, 1 << 10, 1 << 16, 5 << 16, 2 ** 31, 2 ** 32 - 1 - 32768]
  for (const [name, codec, flags] of readable)
    for (const foreign of all.filter((each) => !flags.includes(each)))
      assert.throws(() => decode(codec, '1', foreign), { name: 'CodecError', message: new RegExp(`${foreign}`) }, name)
  assert.throws(() => decode(php(), 'N;', 4), /flags 4 \(serialized by PHP/)
  assert.throws(() => decode(pymemcache(), 'x', 1), /flags 1 \(a pickle/)
})

test('what is not as its flags say', () => {
  const packed = deflateSync('hello')
  const prefixed = (size: number) => Buffer.concat([Buffer.from([size, 0, 0, 0]), packed])
  const wrong: [Loose, string | Uint8Array, number][] = [
    ...['\xff', 'a\x80', '\xed\xa0\x80'].flatMap((latin1): [Loose, Buffer, number][] => [
      [loose(text()), Buffer.from(latin1, 'latin1'), 0],
      [loose(pymemcache()), Buffer.from(latin1, 'latin1'), 16],
    ]),
    ...['', 'hello', '{', '"\xff"'].map((t): [Loose, Buffer, number] => [json(), Buffer.from(t, 'latin1'), 0]),
    ...['', ' 1', '1.5', '0x10', '1n', '--1', '1\n', '9'.repeat(4301)].flatMap((t): [Loose, string, number][] => [
      [loose(pymemcache()), t, 2],
      [loose(php()), t, 1],
    ]),
    ...['', ' ', 'x', '1,5', 'nan'].map((t): [Loose, string, number] => [loose(php()), t, 2]),
    ...['2', '0', 'true'].map((t): [Loose, string, number] => [loose(php()), t, 3]),
    [loose(compressed(text())), 'hello', 32768],
    [loose(compressed(text())), packed.subarray(0, -1), 32768],
    [loose(pymemcache()), 'hello', 8],
    ...[prefixed(4), prefixed(6), prefixed(0), 'abc', packed].map((d): [Loose, string | Uint8Array, number] => [
      loose(php()),
      d,
      48,
    ]),
  ]
  for (const [codec, data, flags] of wrong)
    assert.throws(() => decode(codec, data, flags), CodecError, `${flags} ${data}`)
})

test('what cannot be written', () => {
  const circular: unknown[] = []
  circular.push(circular)
  const wrong: [Loose, unknown[]][] = [
    [loose(bytes()), ['x', 5, undefined, new ArrayBuffer(1), new Uint16Array(1), [1]]],
    [loose(text()), [5, undefined, null, Buffer.from('x'), '\ud800', 'a\udc00b']],
    [loose(json()), [undefined, circular, 5n, () => 1, Symbol('x')]],
    [loose(pymemcache()), [1.5, 2 ** 53, Number.NaN, true, null, undefined, {}, '\ud800']],
    [loose(php()), [undefined, 2n ** 63n, -(2n ** 63n) - 1n, circular, () => 1, '\udfff', Symbol('x')]],
    [loose(compressed(compressed(text(), { threshold: 0 }))), ['a'.repeat(5000)]],
  ]
  for (const [codec, values] of wrong)
    for (const value of values) assert.throws(() => codec.encode(value), CodecError, String(typeof value))
})

test('compression only where something is won', () => {
  const zip = compressed(text(), { threshold: 100 })
  assert.equal(zip.encode('a'.repeat(99)).flags, 0)
  assert.equal(zip.encode('a'.repeat(100)).flags, 32768)
  assert.equal(zip.encode('é'.repeat(50)).flags, 32768)
  const random = new Random(seed)
  const noise = Uint8Array.from({ length: 5000 }, () => random.below(256))
  assert.deepEqual(compressed(bytes()).encode(noise), { data: noise, flags: 0 })
  assert.deepEqual(php().encode(noise), { data: noise, flags: 0 })
  assert.deepEqual(compressed(bytes(), { threshold: 0 }).encode(Buffer.from('abc')), {
    data: Buffer.from('abc'),
    flags: 0,
  })
  assert.equal(decode(zip, 'plain', 0), 'plain')
})

test('a small value that would inflate beyond the bound', () => {
  const bomb = deflateSync(Buffer.alloc(1_000_000))
  const prefixed = Buffer.concat([Buffer.from([0x40, 0x42, 0x0f, 0]), bomb])
  const maxBytes = 999_999
  assert.throws(() => decode(compressed(bytes(), { maxBytes }), bomb, 32768), /larger than 999999 bytes/)
  assert.throws(() => decode(php({ maxBytes }), prefixed, 48), /larger than 999999 bytes/)
  assert.throws(
    () => decode(pymemcache(), deflateSync(Buffer.alloc(64 * 2 ** 20 + 1)), 8),
    /larger than 67108864 bytes/,
  )
  assert.equal((decode(php(), prefixed, 48) as string).length, 1_000_000)
  assert.equal(compressed(bytes(), { maxBytes }).encode(Buffer.alloc(1_000_000)).flags, 0, 'nor is it written')
})

test('options of compression', () => {
  for (const wrong of [{ level: 10 }, { level: 1.5 }, { threshold: -1 }, { threshold: Number.NaN }, { maxBytes: 0 }])
    for (const make of [() => compressed(text(), wrong), () => php(wrong)]) assert.throws(make, InvalidArgumentError)
})

test('numbers of counters, shorter after decr', () => {
  assert.equal(decode(php(), '8 ', 1), 8)
  assert.equal(decode(pymemcache(), '99  ', 2), 99)
  assert.equal(decode(json(), '8 ', 0), 8)
  assert.equal(decode(php(), '18446744073709551615', 1), 2n ** 64n - 1n)
})

test('php(): minus zero is a float', () => {
  assert.ok(Object.is(there(php(), -0), -0))
})

test('php(): text where it is text, else bytes', () => {
  assert.equal(decode(php(), 'é', 0), 'é')
  assert.deepEqual(decode(php(), Buffer.from([0xff, 0]), 0), Buffer.from([0xff, 0]))
  const value: PhpValue = there(php(), Buffer.from('plain'))
  assert.equal(value, 'plain')
})
