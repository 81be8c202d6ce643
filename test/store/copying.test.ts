/** Copies are exact for every pattern of bits, doubles that are not numbers included, cold and after optimisation. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Store } from 'latchkey/store'
import { Bytes, copyBytes } from '#dist/store/bytes.js'

/** Quiet and signalling NaNs of both signs with telling payloads, infinities, minus zero, the smallest and largest numbers. */
const patterns = [
  0x7ff8000000000000n,
  0x7ff0000000000001n,
  0x7ff4deadbeef1234n,
  0x7fffffffffffffffn,
  0xfff8000000000000n,
  0xfff0000000000001n,
  0xfffdeadbeef00001n,
  0xffffffffffffffffn,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x8000000000000000n,
  0x0000000000000001n,
  0x800fffffffffffffn,
  0x0010000000000000n,
  0x7fefffffffffffffn,
  0n,
]

function bytesOf(words: bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(words).buffer)
}

/** Each pattern alone among ordinary numbers, in every place of a group of four; and all together. */
function* samples(): Generator<Uint8Array> {
  yield bytesOf(patterns)
  for (const pattern of patterns) {
    for (let place = 0; place < 4; place++) {
      yield bytesOf(Array.from({ length: 8 }, (_, i) => (i === place ? pattern : 0x3ff123456789abcdn + BigInt(i))))
    }
  }
}

test('every pattern at every alignment and length, both ways, until it is optimised', () => {
  const shared = new Bytes(new Uint8Array(new SharedArrayBuffer(512)))
  const own = Bytes.allocate(512)
  for (let round = 0; round < 40; round++) {
    for (const sample of samples()) {
      const start = round % 9
      const at = (round * 5) % 11
      const length = sample.length - (round % 37)
      own.u8.fill(0)
      own.u8.set(sample, start)
      shared.u8.fill(0xaa)
      copyBytes(own, start, shared, at, length)
      assert.deepEqual(Buffer.from(shared.u8).subarray(at, at + length), Buffer.from(sample).subarray(0, length))
      assert.ok(shared.u8.subarray(0, at).every((byte) => byte === 0xaa))
      assert.ok(shared.u8.subarray(at + length).every((byte) => byte === 0xaa))
      own.u8.fill(0)
      copyBytes(shared, at, own, start, length)
      assert.deepEqual(Buffer.from(own.u8).subarray(start, start + length), Buffer.from(sample).subarray(0, length))
    }
  }
})

test('values of such patterns come back from the store as they went in', () => {
  const store = new Store({ memory: '8mb' })
  for (let round = 0; round < 30; round++) {
    for (const sample of samples()) {
      const value = Buffer.concat([Buffer.alloc(round % 8), sample, sample])
      store.set(`key${'x'.repeat(round % 5)}`, value)
      assert.deepEqual(Buffer.from(store.get(`key${'x'.repeat(round % 5)}`)!), value)
    }
  }
  store.close()
})
