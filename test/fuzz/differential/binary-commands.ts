/** Frames of the binary protocol, right ones and such as end the connection. As the text commands: one character a byte. */
import type { Material } from './material.js'
import type { Maker } from './text-commands.js'

export const REQUEST = '\x80'
const NO_TOKEN = '\0'.repeat(8)
const HEADER_BYTES = 24
const NO_INITIAL = 0xffffffff

interface Parts {
  readonly extras?: string
  readonly key?: string
  readonly value?: string
  /** 8 bytes, or the sign of a token. */
  readonly token?: string
  readonly opaque?: string
}

export function frame(opcode: number, parts: Parts = {}): string {
  const { extras = '', key = '', value = '', token = NO_TOKEN, opaque = '\0\0\0\0' } = parts
  const lengths =
    u16(key.length) + String.fromCharCode(extras.length, 0, 0, 0) + u32(extras.length + key.length + value.length)
  return REQUEST + String.fromCharCode(opcode) + lengths + opaque + token + extras + key + value
}

function u16(value: number): string {
  return String.fromCharCode(value >>> 8, value & 0xff)
}

function u32(value: number): string {
  return u16(value >>> 16) + u16(value & 0xffff)
}

function u64(value: bigint): string {
  return u32(Number(value >> 32n)) + u32(Number(value & 0xffffffffn))
}

const lives = [0, 0, 0, 100, 3600, 2592000, 2592001, 1000000000, 2147483647, 2147483648, 4294967295]
const numbers = [0n, 1n, 7n, 1000n, 2n ** 31n, 2n ** 32n, 10n ** 18n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]
const clientFlags = [0, 0, 1, 65535, 2147483648, 4294967295]

/** Mostly none: with one a store is a compare and swap. */
function token(m: Material): string {
  if (m.random.chance(60)) return NO_TOKEN
  return m.random.chance(80) ? m.givenToken() : u64(m.random.pick([1n, 2n ** 63n, 2n ** 64n - 1n]))
}

function opaque(m: Material): string {
  return u32(m.random.next())
}

/** The plain opcode, or one of its others: quiet, with the key in the reply. */
function reads(...opcodes: number[]): Maker {
  return (m) => frame(m.random.pick(opcodes), { key: m.rightKey(), opaque: opaque(m) })
}

function touches(...opcodes: number[]): Maker {
  return (m) => {
    const extras = u32(m.random.pick(lives))
    return frame(m.random.pick(opcodes), { extras, key: m.rightKey(), opaque: opaque(m) })
  }
}

function stores(...opcodes: number[]): Maker {
  return (m) => {
    const extras = u32(m.random.pick(clientFlags)) + u32(m.random.pick(lives))
    // What is too large takes the old value with it, or not, as the token says: see docs/PROTOCOL.md.
    const which = m.palette.large > 0 ? NO_TOKEN : token(m)
    return frame(m.random.pick(opcodes), {
      extras,
      key: m.rightKey(),
      value: m.value(),
      token: which,
      opaque: opaque(m),
    })
  }
}

function extensions(...opcodes: number[]): Maker {
  return (m) => {
    const parts = { key: m.rightKey(), value: m.value(), token: m.palette.large > 0 ? NO_TOKEN : token(m) }
    return frame(m.random.pick(opcodes), { ...parts, opaque: opaque(m) })
  }
}

function counters(...opcodes: number[]): Maker {
  return (m) => {
    const extras =
      u64(m.random.pick(numbers)) + u64(m.random.pick(numbers)) + u32(m.random.pick([0, 100, NO_INITIAL, NO_INITIAL]))
    return frame(m.random.pick(opcodes), { extras, key: m.rightKey(), token: token(m), opaque: opaque(m) })
  }
}

export const binaryReaders: Readonly<Record<string, Maker>> = {
  get: reads(0x00, 0x09),
  getk: reads(0x0c, 0x0d),
  gat: touches(0x1d, 0x1e),
  gatk: touches(0x23, 0x24),
}

export const binaryWriters: Readonly<Record<string, Maker>> = {
  set: stores(0x01, 0x11),
  add: stores(0x02, 0x12),
  replace: stores(0x03, 0x13),
  append: extensions(0x0e, 0x19),
  prepend: extensions(0x0f, 0x1a),
  touch: touches(0x1c),
  delete: (m) => frame(m.random.pick([0x04, 0x14]), { key: m.rightKey(), token: token(m), opaque: opaque(m) }),
}

export const binaryCounters: Readonly<Record<string, Maker>> = {
  increment: counters(0x05, 0x15),
  decrement: counters(0x06, 0x16),
}

export const binaryOthers: Readonly<Record<string, Maker>> = {
  noop: (m) => frame(0x0a, { opaque: opaque(m) }),
  unknown: (m) => frame(m.random.pick([0x1f, 0x25, 0x30, 0x40, 0xff]), { opaque: opaque(m) }),
}

/** Of all lanes. */
export const binaryFlushes: Readonly<Record<string, Maker>> = {
  flush: (m) => frame(m.random.pick([0x08, 0x18]), { extras: m.random.pick(['', u32(0)]), opaque: opaque(m) }),
}

/** After these the server closes, mostly with a word about why. */
export const binaryEnds: Maker = (m) =>
  m.random.pick([
    frame(0x07, { opaque: opaque(m) }),
    frame(0x17),
    frame(0x00, { key: 'k'.repeat(251) }),
    frame(0x00),
    frame(0x00, { extras: 'abcd', key: m.rightKey() }),
    frame(0x01, { extras: 'abcd', key: m.rightKey(), value: 'x' }),
    frame(0x01, { key: m.rightKey(), value: 'x' }),
    frame(0x05, { extras: 'abcd', key: m.rightKey() }),
    frame(0x0e, { extras: 'abcd', key: m.rightKey(), value: 'x' }),
    frame(0x0a, { key: 'k' }),
    frame(0x04, { extras: 'abcd', key: m.rightKey() }),
    frame(0x0a).replace(REQUEST, '\x81'),
    `get ${m.rightKey()}\r\n`.padEnd(HEADER_BYTES, 'x'),
  ])

/** A touch holds the item, too. */
const readOpcodes = [0x00, 0x09, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x23, 0x24]
const countOpcodes = [0x05, 0x06, 0x15, 0x16]

export function isBinaryRead(text: string): boolean {
  return text.startsWith(REQUEST) && readOpcodes.includes(text.charCodeAt(1))
}

export function isBinaryCount(text: string): boolean {
  return text.startsWith(REQUEST) && countOpcodes.includes(text.charCodeAt(1))
}
