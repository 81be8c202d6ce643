/** Requests of the text protocol, and the replies to them. */
import type { Operation } from './cases.js'
import { keyName, valueFor } from './items.js'

export function textRequest(operation: Operation, key: number, valueBytes: number): string {
  const name = keyName(key)
  if (operation === 'get') return `get ${name}\r\n`
  if (operation === 'mg') return `mg ${name} k v\r\n`
  const value = valueFor(key, valueBytes)
  return operation === 'ms'
    ? `ms ${name} ${valueBytes}\r\n${value}\r\n`
    : `set ${name} 0 0 ${valueBytes}\r\n${value}\r\n`
}

export function textReply(operation: Operation, key: number, valueBytes: number): string {
  if (operation === 'set') return 'STORED\r\n'
  if (operation === 'ms') return 'HD\r\n'
  const value = valueFor(key, valueBytes)
  if (operation === 'mg') return `VA ${valueBytes} k${keyName(key)}\r\n${value}\r\n`
  return `VALUE ${keyName(key)} 0 ${valueBytes}\r\n${value}\r\nEND\r\n`
}
