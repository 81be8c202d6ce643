/** CAS tokens as bytes are the CAS tokens as numbers, whatever carries from one half to the other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bytes } from 'latchkey/store'
import { casEpochAt, Tokens } from '#dist/store/cas-epoch.js'

const target = Bytes.allocate(16)

function copied(tokens: Tokens, sequence: number, stripe: number): bigint {
  target.u8.fill(0xff)
  tokens.copy(sequence, stripe, target, 3)
  return target.view.getBigUint64(3)
}

const sequences = fc.oneof(
  fc.integer({ min: 1, max: 2 ** 48 - 1 }),
  fc.integer({ min: 1, max: 2 ** 16 - 1 }).map((high) => high * 2 ** 32 - 1),
  fc.integer({ min: 1, max: 2 ** 33 }),
)
const epochs = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 60n }),
  fc.bigInt({ min: 1n, max: 2n ** 28n }).map((high) => (high << 32n) - 1n),
)

test('a token copied is the token', () => {
  fc.assert(
    fc.property(sequences, epochs, fc.integer({ min: 0, max: 9 }), fc.nat(511), (sequence, epoch, bits, number) => {
      const tokens = new Tokens([{ epoch, afterSequence: 0, fromMs: 0 }], 2 ** bits)
      const stripe = number % 2 ** bits
      assert.equal(copied(tokens, sequence, stripe), tokens.of(sequence, stripe))
    }),
    { numRuns: 2000 },
  )
})

test('of an earlier era too', () => {
  const early = { epoch: 1n << 40n, afterSequence: 0, fromMs: 0 }
  const late = { epoch: 1n << 50n, afterSequence: 1000, fromMs: 5 }
  const tokens = new Tokens([early, late], 64)
  for (const sequence of [1, 999, 1000, 1001, 2 ** 40]) {
    assert.equal(copied(tokens, sequence, 63), tokens.of(sequence, 63))
  }
  assert.notEqual(copied(tokens, 1000, 0) >> 50n, copied(tokens, 1001, 0) >> 50n)
})

test('a table that is made before the clock is set has small tokens, and the next one greater ones', () => {
  assert.equal(casEpochAt(0), 0n)
  assert.ok(casEpochAt(Date.now()) > 0n)
})
