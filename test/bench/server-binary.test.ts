/** The frames that the server benchmark sends over the binary protocol, and what it takes for right replies. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchEnd, binaryReply, binaryRequest, withoutTokens } from '../../bench/server/binary.js'
import { checkReply, poolFor } from '../../bench/server/requests.js'

const one = { operation: 'getkq', depth: 4, valueBytes: 20, distribution: 'uniform' } as const

test('a set carries extras, key and value, and says how long they are', () => {
  const frame = Buffer.from(binaryRequest('binary set', 7, 20), 'latin1')
  assert.equal(frame.readUInt16BE(0), 0x8001)
  assert.deepEqual([frame.readUInt16BE(2), frame[4], frame.readUInt32BE(8)], [12, 8, 8 + 12 + 20])
  assert.equal(frame.length, 24 + 8 + 12 + 20)
})

test('replies are compared without their tokens, and with everything else', () => {
  const pool = poolFor(one)
  const [{ keys }] = pool.batches
  const reply = Buffer.from(
    Array.from(keys, (key) => binaryReply('getkq', key, 20)).join('') + batchEnd('getkq', 'reply'),
    'latin1',
  )
  assert.equal(reply.length, pool.replyBytes)
  reply.writeBigUInt64BE(77n, 16)
  checkReply(reply.toString('latin1'), pool, keys)
  assert.notEqual(withoutTokens(reply.toString('latin1')), reply.toString('latin1'))
  reply[24 + 4 + 12] ^= 1
  assert.throws(() => checkReply(reply.toString('latin1'), pool, keys), /wrong reply/)
})
