/** Frames of the binary protocol with faults in them; and honest ones, each of which must get its own reply. */
import assert from 'node:assert/strict'
import type { ServerProcess } from '../support/process.js'
import { Wire } from '../support/wire.js'
import {
  binaryCounters,
  binaryEnds,
  binaryOthers,
  binaryReaders,
  binaryWriters,
  frame,
} from './differential/binary-commands.js'
import { Material } from './differential/material.js'
import { splitAtRandom } from './mutate.js'
import type { Random } from './random.js'

const makers = [binaryReaders, binaryWriters, binaryCounters, binaryOthers].flatMap((each) => Object.values(each))
const palette = { faults: 10, shortens: false, counts: true, large: 0, keys: 3 }
const HEADER_BYTES = 24
/** Where a header says how much follows: in the key, in the extras, in all. */
const lengthFields = [2, 3, 4, 8, 9, 10, 11]

/** Mostly a frame with one to three faults: in its lengths, its opcode, its magic, or anywhere; or cut off, or doubled. */
export function wildBinaryFrame(random: Random): string {
  const make = random.chance(10) ? binaryEnds : random.pick(makers)
  // No tokens have been given: any bytes in their place.
  let bytes = make(new Material(random, palette, 0)).replace(/[\u0100-\uffff]/g, () => random.bytes(8))
  for (let times = random.below(4); times > 0; times--) bytes = spoilt(bytes, random)
  return bytes
}

function spoilt(bytes: string, random: Random): string {
  const put = (at: number, byte: number) => bytes.slice(0, at) + String.fromCharCode(byte) + bytes.slice(at + 1)
  switch (random.below(6)) {
    case 0:
      return put(random.pick(lengthFields), random.pick([0, 1, 4, 8, 20, 127, 128, 250, 251, 255]))
    case 1:
      return put(1, random.below(64))
    case 2:
      return put(random.below(bytes.length), random.below(256))
    case 3:
      return bytes.slice(0, random.below(bytes.length + 1)) || '\x80'
    case 4:
      return bytes + bytes.slice(random.below(bytes.length))
    default:
      return random.chance(30) ? put(0, random.pick([0x00, 0x67, 0x81])) : bytes + random.bytes(random.below(30))
  }
}

/** Anything may happen on this connection; nothing of it may reach others. */
export async function wildBinary(server: ServerProcess, random: Random, frames: number): Promise<void> {
  const bytes = Array.from({ length: frames }, () => wildBinaryFrame(random)).join('')
  const wire = await Wire.open(server)
  for (const piece of splitAtRandom(bytes, random)) await wire.send(piece)
  wire.end()
  await wire.takeToClose()
}

/** Stores and looks up, pipelined: every reply has the opaque of its request, in order, and the value of its key. */
export async function honestBinary(server: ServerProcess, random: Random, id: string): Promise<void> {
  const keys = Array.from({ length: 20 }, (_, index) => `b${id}-${index}-${random.below(1e6)}`)
  const values = keys.map((key) => `${key}:`.repeat(1 + random.below(40)))
  const opaqueOf = (index: number) => `h${String.fromCharCode(index, 1, 2)}`
  const sets = keys.map((key, at) =>
    frame(0x01, { extras: '\0\0\0\0\0\0\0\x3c', key, value: values[at], opaque: opaqueOf(at) }),
  )
  const gets = keys.map((key, at) => frame(0x0c, { key, opaque: opaqueOf(at) }))
  const wire = await Wire.open(server)
  for (const piece of splitAtRandom([...sets, ...gets].join(''), random)) await wire.send(piece)
  for (const at of keys.keys()) assert.deepEqual(await reply(wire), { opaque: opaqueOf(at), status: 0, body: '' })
  for (const [at, key] of keys.entries()) {
    const { opaque, status, body } = await reply(wire)
    assert.equal(opaque, opaqueOf(at))
    // A wild connection may have flushed everything; it may not have changed anything.
    if (status !== 1) assert.equal(body, `\0\0\0\0${key}${values[at]}`)
  }
  wire.close()
}

async function reply(wire: Wire): Promise<{ opaque: string; status: number; body: string }> {
  const header = await wire.take(HEADER_BYTES)
  assert.equal(header.length, HEADER_BYTES, 'no reply')
  const body = (await wire.take(header.readUInt32BE(8))).toString('latin1')
  return { opaque: header.toString('latin1', 12, 16), status: header.readUInt16BE(6), body }
}
