/** What a connection can be in the middle of, in every protocol. */
import type { DoorKind } from '../doors.js'
import { password, user } from '../doors.js'
import { frame, Opcode, saslFrame, setFrame } from '../frames.js'

export interface LorisState {
  name: string
  doors: readonly DoorKind[]
  /** All that is to be said. */
  bytes: string
  /** So many at once; the next ones one by one. */
  from: number
  /** To all of it; undefined when it is hung up on some day. */
  reply: string | undefined
  /** Before the TLS handshake. */
  bare?: true
}

const open: readonly DoorKind[] = ['plain', 'TLS']
const value = 'x'.repeat(1000)
const refused = 'x'.repeat(1_048_577)
const noop = frame({ opcode: Opcode.Noop })
const login = `${user} ${password}`

function replyFrame(opcode: number, status: number, body = '', extras = ''): string {
  const text = frame({ opcode, extras, value: body })
  return `\x81${text.slice(1, 6)}${String.fromCharCode(status >> 8, status & 255)}${text.slice(8)}`
}

export const lorisStates: readonly LorisState[] = [
  { name: 'text: the command', doors: open, bytes: `get ${'k'.repeat(200)}\r\n`, from: 1, reply: 'END\r\n' },
  { name: 'text: a data block', doors: open, bytes: `set l1 0 0 1000\r\n${value}\r\n`, from: 17, reply: 'STORED\r\n' },
  {
    name: 'text: a refused data block',
    doors: open,
    bytes: `set l2 0 0 ${refused.length}\r\n${refused}\r\nmn\r\n`,
    from: 20,
    reply: 'SERVER_ERROR object too large for cache\r\nMN\r\n',
  },
  {
    name: 'text: the keys of a get without end',
    doors: open,
    bytes: `get ${'nothing '.repeat(1000)}\r\n`,
    from: 3000,
    reply: 'END\r\n',
  },
  {
    name: 'text: the rest of a line that is passed over',
    doors: open,
    bytes: `get ${'nothing '.repeat(400)}${'k'.repeat(600)}${' more'.repeat(100)}\r\nmn\r\n`,
    from: 4 + 3200 + 600,
    reply: 'CLIENT_ERROR bad command line format\r\nMN\r\n',
  },
  {
    name: 'meta: the flags',
    doors: open,
    bytes: `mg l3 v t f k Oabcdefghijklmnop\r\n`,
    from: 6,
    reply: 'EN kl3 Oabcdefghijklmnop\r\n',
  },
  { name: 'meta: a data block', doors: open, bytes: `ms l4 1000 T60\r\n${value}\r\n`, from: 16, reply: 'HD\r\n' },
  { name: 'binary: the header', doors: open, bytes: noop, from: 1, reply: replyFrame(Opcode.Noop, 0) },
  {
    name: 'binary: extras and key',
    doors: open,
    bytes: setFrame('l5', value),
    from: 24,
    reply: replyFrame(Opcode.Set, 0),
  },
  { name: 'binary: the value', doors: open, bytes: setFrame('l6', value), from: 40, reply: replyFrame(Opcode.Set, 0) },
  {
    name: 'binary: a refused value',
    doors: open,
    bytes: setFrame('l7', refused) + noop,
    from: 40,
    reply: replyFrame(Opcode.Set, 3, 'Too large.') + replyFrame(Opcode.Noop, 0),
  },
  {
    name: 'password: the line',
    doors: ['password'],
    bytes: `set x 0 0 ${login.length}\r\n${login}\r\n`,
    from: 3,
    reply: 'STORED\r\n',
  },
  {
    name: 'password: the word',
    doors: ['password'],
    bytes: `set x 0 0 ${login.length}\r\n${login}\r\n`,
    from: 15,
    reply: 'STORED\r\n',
  },
  {
    name: 'SASL: the header',
    doors: ['password'],
    bytes: saslFrame(user, password),
    from: 1,
    reply: replyFrame(Opcode.SaslAuth, 0, 'Authenticated'),
  },
  {
    name: 'SASL: the word',
    doors: ['password'],
    bytes: saslFrame(user, password),
    from: 30,
    reply: replyFrame(Opcode.SaslAuth, 0, 'Authenticated'),
  },
  // A record of 16 KiB is announced, the longest that there is, and comes byte by byte.
  {
    name: 'TLS: the handshake',
    doors: ['TLS'],
    bytes: `\x16\x03\x01\x40\x00${'\x01'.repeat(2000)}`,
    from: 5,
    reply: undefined,
    bare: true,
  },
]
