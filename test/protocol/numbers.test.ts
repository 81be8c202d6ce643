import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ascii, NOT_A_NUMBER, Output, parseI32, parseLength, parseU32, parseU64 } from 'latchkey/protocol'
import { chosenSeed } from '../support/seed.js'

const all = <T>(parse: (u8: Uint8Array, start: number, end: number) => T, text: string) =>
  parse(ascii(text), 0, text.length)

test('lengths are digits up to 2^31 − 1', () => {
  assert.equal(all(parseLength, '0'), 0)
  assert.equal(all(parseLength, '2147483647'), 2147483647)
  for (const text of ['', '-1', '+-1', '1x', '2147483648', '4294967297', '99999999999999999999999']) {
    assert.equal(all(parseLength, text), -1, text)
  }
})

test('client flags are 32 bits, unsigned', () => {
  assert.equal(all(parseU32, '4294967295'), 4294967295)
  assert.equal(all(parseU32, '+7'), 7)
  for (const text of ['', '+', '-1', '4294967296', '0x1']) assert.equal(all(parseU32, text), -1, text)
})

test('expiry times are 32 bits, signed', () => {
  assert.equal(all(parseI32, '-2147483648'), -2147483648)
  assert.equal(all(parseI32, '2147483647'), 2147483647)
  for (const text of ['', '-', '--1', '+-1', '-+1', '++1', '1.5', '9223372036854775808', '-9223372036854775809']) {
    assert.equal(all(parseI32, text), NOT_A_NUMBER, text)
  }
})

test('an expiry time of 64 bits is cut to the lower 32', () => {
  assert.equal(all(parseI32, '4294967295'), -1)
  assert.equal(all(parseI32, '2147483648'), -2147483648)
  assert.equal(all(parseI32, '-2147483649'), 2147483647)
  assert.equal(all(parseI32, '4294967306'), 10)
  assert.equal(all(parseI32, '9223372036854775807'), -1)
  assert.equal(all(parseI32, '-9223372036854775808'), 0)
})

test('64-bit numbers are exact, and bounded', () => {
  for (const value of [0n, 999_999_999_999_999n, 10n ** 15n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
    assert.equal(all(parseU64, `${value}`), value)
    assert.equal(all(parseU64, `000${value}`), value)
  }
  for (const text of ['', '-1', '18446744073709551616', '99999999999999999999', '1a', '1234567890123456789x']) {
    assert.equal(all(parseU64, text), undefined, text)
  }
})

test('what is written reads as the number', () => {
  const written = (write: (out: Output) => void) => {
    const out = new Output(4)
    out.byte(62)
    write(out)
    out.byte(60)
    return new TextDecoder().decode(out.u8.subarray(0, out.length))
  }
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      assert.equal(
        written((out) => out.number(value)),
        `>${value}<`,
      )
    }),
    { seed: chosenSeed() | 0 },
  )
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
      assert.equal(
        written((out) => out.bigint(value)),
        `>${value}<`,
      )
    }),
    { seed: chosenSeed() | 0 },
  )
  for (let power = 0n, value = 1n; power < 20n; power++, value *= 10n) {
    for (const near of [value - 1n, value, value + 1n]) {
      assert.equal(
        written((out) => out.bigint(near)),
        `>${near}<`,
      )
    }
  }
})

test('numbers are read as C does: white space before them and whatever is behind it, and a sign', () => {
  for (const text of ['5', '+5', '\t5', '5\t', '\v5\fx', '005']) {
    assert.equal(all(parseLength, text), 5, text)
    assert.equal(all(parseU32, text), 5, text)
    assert.equal(all(parseI32, text), 5, text)
    assert.equal(all(parseU64, text), 5n, text)
  }
  assert.equal(all(parseU64, '-0'), 0n)
  assert.equal(all(parseU64, '-18446744073709551615'), 1n)
  assert.equal(all(parseU64, '-9223372036854775809'), 2n ** 63n - 1n)
  for (const text of ['-9223372036854775808', '-18446744073709551616', '-+5', '\t', '\t-\t', '- 5'])
    assert.equal(all(parseU64, text), undefined, text)
})
