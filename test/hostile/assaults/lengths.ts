/** Lengths that no machine has: announced, and then the connection is used on, or is hung up on. */
import assert from 'node:assert/strict'
import type { Attack } from '../assault.js'
import { frame, Opcode } from '../frames.js'
import { leave, read, write } from '../sockets.js'

const numbers = [
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n,
  10n ** 40n,
]

function textRequests(): string[] {
  return numbers.flatMap((number) => [
    `set a 0 0 ${number}\r\n`,
    `set a 0 0 -${number}\r\n`,
    `cas a 0 0 ${number} 1\r\n`,
    `append a 0 0 ${number} noreply\r\n`,
    `ms a ${number}\r\n`,
    `ms a -${number}\r\n`,
    `set a ${number} ${number} 0\r\n\r\n`,
    `incr a ${number}\r\n`,
    `gat ${number} a\r\n`,
    `mg a T${number} N${number} R${number}\r\n`,
    `flush_all ${number}\r\n`,
    `stats cachedump ${number} ${number}\r\n`,
  ])
}

function frames(): string[] {
  const bodies = [250, 2 ** 20 + 1000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]
  return Array.from({ length: 0x25 }, (_, opcode) => opcode).flatMap((opcode) => [
    ...bodies.map((bodyLength) => frame({ opcode, extras: '\0'.repeat(8), key: 'a', bodyLength })),
    frame({ opcode, extras: '\0'.repeat(8), key: 'a', keyLength: 0xffff }),
    frame({ opcode, key: 'k'.repeat(251), bodyLength: 0 }),
  ])
}

/** Each on a connection of its own, with bytes behind it: it is answered, refused or hung up on, and then left. */
export function lengths(waitMs: number): Attack {
  return async (door, atItsHeight) => {
    const requests = [...textRequests(), ...frames(), frame({ opcode: Opcode.Get, key: 'a', bodyLength: 2 ** 32 - 1 })]
    const sockets = await Promise.all(
      requests.map(async (request) => {
        const socket = await door.open()
        socket.resume()
        await write(socket, request + 'x'.repeat(5000))
        return socket
      }),
    )
    await new Promise((resolve) => setTimeout(resolve, waitMs))
    atItsHeight()
    await leave(sockets)
    const socket = await door.open()
    void write(socket, 'mn\r\n')
    assert.equal(await read(socket, (text) => text.endsWith('\n')), 'MN\r\n')
    await leave([socket])
    return `${requests.length} requests with lengths and numbers around 2^31, 2^32, 2^53, 2^63, 2^64 and beyond`
  }
}
