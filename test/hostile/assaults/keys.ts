/** Keys with every byte: what can be a key is kept as it is, by every protocol; what cannot is refused, and harms nobody. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import type { Attack } from '../assault.js'
import { answers, frame, Opcode, setFrame } from '../frames.js'
import { leave, read, write } from '../sockets.js'

const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))

/** Of each byte: one in the middle, one alone, and 250 of it. */
const keys = bytes.flatMap((byte) => [`k${byte}y`, byte, byte.repeat(250)])

export const everyKey: Attack = async (door, atItsHeight) => {
  await overBinary(await door.open())
  await overMeta(await door.open())
  atItsHeight()
  await asText(await door.open())
  return `${keys.length} keys`
}

async function overBinary(socket: Socket): Promise<void> {
  for (const key of keys) {
    void write(socket, setFrame(key, key) + frame({ opcode: Opcode.Get, key }))
    const text = await read(socket, (got) => answers(got).length === 2)
    const [stored, found] = answers(text)
    assert.equal(stored.status, 0, `a set of the key ${JSON.stringify(key)}`)
    assert.equal(found.body, key, `a get of the key ${JSON.stringify(key)}`)
  }
  await leave([socket])
}

/** In base64 every key can be written. */
async function overMeta(socket: Socket): Promise<void> {
  for (const key of keys) {
    const name = Buffer.from(key, 'latin1').toString('base64')
    void write(socket, `mg ${name} b v k\r\nmn\r\n`)
    const got = await read(socket, (text) => text.endsWith('MN\r\n'))
    // A word of a command has 250 bytes at most, in base64 too.
    if (name.length <= 250) assert.equal(got, `VA ${key.length} k${name} b\r\n${key}\r\nMN\r\n`)
  }
  await leave([socket])
}

/** As they are, in a line: a space or a newline ends them. Whatever becomes of it, the next request is answered. */
async function asText(socket: Socket): Promise<void> {
  for (const key of keys) {
    void write(socket, `get ${key}\r\nmg end k Oend\r\n`)
    await read(socket, (text) => text.endsWith('EN kend Oend\r\n'))
  }
  await leave([socket])
}
