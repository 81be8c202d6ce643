/**
 * Requests of the binary protocol, and the replies to them, as latin1 text
 * (https://docs.memcached.org/protocols/binary/). Tokens in replies are of each server: they are left out of comparisons.
 */
import type { Operation } from './cases.js'
import { keyName, valueFor } from './items.js'

const headerBytes = 24
const casAt = 16
const casBytes = 8

const opcodes: Partial<Record<Operation, number>> = { 'binary get': 0x00, 'binary set': 0x01, getkq: 0x0d }
const noop = 0x0a

const requestMagic = 0x80
const replyMagic = 0x81

export function binaryRequest(operation: Operation, key: number, valueBytes: number): string {
  const opcode = opcodes[operation]!
  if (operation !== 'binary set') return frame(requestMagic, opcode, '', keyName(key), '')
  return frame(requestMagic, opcode, '\0'.repeat(8), keyName(key), valueFor(key, valueBytes))
}

export function binaryReply(operation: Operation, key: number, valueBytes: number): string {
  const opcode = opcodes[operation]!
  if (operation === 'binary set') return frame(replyMagic, opcode, '', '', '')
  const name = operation === 'getkq' ? keyName(key) : ''
  return frame(replyMagic, opcode, '\0'.repeat(4), name, valueFor(key, valueBytes))
}

/** What ends a batch: quiet gets are told to be over by the reply to a noop. */
export function batchEnd(operation: Operation, magic: 'request' | 'reply'): string {
  if (operation !== 'getkq') return ''
  return frame(magic === 'request' ? requestMagic : replyMagic, noop, '', '', '')
}

function frame(magic: number, opcode: number, extras: string, key: string, value: string): string {
  const header = Buffer.alloc(headerBytes)
  header[0] = magic
  header[1] = opcode
  header.writeUInt16BE(key.length, 2)
  header[4] = extras.length
  header.writeUInt32BE(extras.length + key.length + value.length, 8)
  return header.toString('latin1') + extras + key + value
}

/** The same frames with every token made nought. */
export function withoutTokens(replies: string): string {
  let text = ''
  for (let at = 0; at < replies.length; ) {
    const end = at + headerBytes + bodyLength(replies, at)
    text += replies.slice(at, at + casAt) + '\0'.repeat(casBytes) + replies.slice(at + headerBytes, end)
    at = end
  }
  return text
}

function bodyLength(replies: string, at: number): number {
  return Buffer.from(replies.slice(at + 8, at + 12), 'latin1').readUInt32BE()
}
