/** What goes in comes out, in order, however large, and nothing is written over before it has left. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Outbox } from '#dist/client/outbox.js'

type Part = { text: string } | { number: number } | { value: string | Uint8Array }

const size = fc.oneof({ weight: 5, arbitrary: fc.nat(60) }, fc.constantFrom(4095, 4096, 4097, 70_000, 262_144, 300_000))
const part: fc.Arbitrary<Part> = fc.oneof(
  size.map((length) => ({ text: 'tT'.repeat(length).slice(0, length) })),
  fc.nat(2 ** 31 - 1).map((number) => ({ number })),
  size.map((length) => ({ value: 'vé€'.repeat(length) })),
  size.map((length) => ({ value: Buffer.alloc(length, 'bytes') })),
)

function put(out: Outbox, one: Part): Buffer {
  if ('text' in one) {
    out.text(one.text)
    return Buffer.from(one.text, 'latin1')
  }
  if ('number' in one) {
    out.number(one.number)
    return Buffer.from(`${one.number}`)
  }
  out.value(one.value, Buffer.byteLength(one.value))
  return Buffer.from(one.value as string)
}

test('everything, in order, through takes with and without reuse', () => {
  const batch = fc.tuple(fc.array(part, { maxLength: 12 }), fc.boolean())
  fc.assert(
    fc.property(fc.array(batch, { minLength: 1, maxLength: 6 }), (batches) => {
      const out = new Outbox()
      const kept: [pieces: Uint8Array[], expected: Buffer][] = []
      for (const [parts, left] of batches) {
        const expected = Buffer.concat(parts.map((one) => put(out, one)))
        const pieces = out.take()
        assert.deepEqual(Buffer.concat(pieces), expected)
        // What has left may be written over; what has not must stay.
        if (left && kept.length === 0) out.reuse()
        else kept.push([pieces, expected])
      }
      for (const [pieces, expected] of kept) assert.deepEqual(Buffer.concat(pieces), expected)
      assert.deepEqual(out.take(), [])
    }),
    { numRuns: 150, seed: 20_261_121 },
  )
})

test('a large value is handed over, not copied', () => {
  const out = new Outbox()
  const value = Buffer.alloc(100_000, 'x')
  out.text('before')
  out.value(value, value.length)
  out.endLine()
  const pieces = out.take()
  assert.equal(pieces.length, 3)
  assert.equal(pieces[1], value)
  assert.equal(Buffer.from(pieces[2]).toString(), '\r\n')
})
