/** Frames of the binary protocol cut at every byte, and the message of SASL PLAIN. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { binary, byteSource } from 'latchkey/protocol'
import { extras, opcodes, type RequestParts, request, set } from '../support/binary.js'

const { Frame, Framed } = binary

function framedAt(bytes: Buffer, end: number): number {
  return binary.parseFrame(new Frame(), byteSource(bytes), 0, end)
}

test('a frame is ready with its key, and is not waited for with its value', () => {
  const frame = set('key', 'value')
  const head = 24 + 8 + 3
  for (let end = 1; end < head; end++) assert.equal(framedAt(frame, end), Framed.Incomplete)
  for (let end = head; end <= frame.length; end++) assert.equal(framedAt(frame, end), Framed.Ready)
})

const wrong: Record<string, RequestParts> = {
  'a value where none is': { opcode: opcodes.get, key: 'k', value: 'value' },
  'extras where none are': { opcode: opcodes.delete, key: 'k', extras: extras(1) },
  'no key': { opcode: opcodes.get },
  'a key of 251 bytes': { opcode: opcodes.get, key: 'k'.repeat(251) },
  'a body shorter than its key': { opcode: opcodes.get, key: 'key', bodyLength: 2 },
}

test('a short frame is refused when all of it has come, so that its answer is read', () => {
  for (const [what, parts] of Object.entries(wrong)) {
    const bytes = request(parts)
    for (let end = 1; end < bytes.length; end++) assert.equal(framedAt(bytes, end), Framed.Incomplete, what)
    assert.equal(framedAt(bytes, bytes.length), Framed.Refused, what)
  }
})

test('what is long and wrong is refused at its header, and a wrong first byte at once', () => {
  assert.equal(framedAt(request({ opcode: opcodes.get, keyLength: 65_535, bodyLength: 65_535 }), 24), Framed.Refused)
  assert.equal(framedAt(request({ opcode: opcodes.get, bodyLength: 2 ** 32 - 1 }), 24), Framed.Refused)
  assert.equal(framedAt(request({ opcode: opcodes.get, magic: 0x81 }), 1), Framed.Close)
})

test('PLAIN names a user and a password, and nobody else', () => {
  const parse = (text: string) => {
    const plain = binary.parsePlain(Buffer.from(text, 'latin1'))
    return plain && [Buffer.from(plain.user).toString('latin1'), Buffer.from(plain.password).toString('latin1')]
  }
  assert.deepEqual(parse('\0ada\0one'), ['ada', 'one'])
  assert.deepEqual(parse('ada\0ada\0one'), ['ada', 'one'])
  assert.deepEqual(parse('\0ada\0'), ['ada', ''])
  for (const text of ['', 'ada', 'ada\0one', 'eve\0ada\0one', '\0ada\0one\0', 'a\0ada\0one']) {
    assert.equal(parse(text), undefined, JSON.stringify(text))
  }
})
