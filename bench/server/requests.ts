import { seededRandom, shuffledIndices } from '../support/random.js'
import { uniformSampler, zipfSampler } from '../support/zipf.js'
import { type Case, keyBytes, keyCount, type Operation, zipfExponent } from './cases.js'

/** Enough that a whole round touches about as many keys as there are: fewer would measure a warm CPU cache. */
const requestsInPool = 131_072
const loadDepth = 100

/** Requests joined into one write, and what the server has to answer to all of them. */
export interface Batch {
  bytes: Buffer
  keys: Uint32Array
}

/** All batches of a pool are answered with the same number of bytes: counting bytes is then counting replies. */
export interface Pool {
  operation: Operation
  valueBytes: number
  depth: number
  replyBytes: number
  batches: Batch[]
}

/** Every key once, in `set`s, to store the values that the cases read. */
export function loadingPool(valueBytes: number): Pool {
  return pool(
    'set',
    valueBytes,
    loadDepth,
    Uint32Array.from({ length: keyCount }, (_, index) => index),
  )
}

export function poolFor(one: Case): Pool {
  const random = seededRandom(1)
  const keyOfRank = shuffledIndices(keyCount, random)
  const draw =
    one.distribution === 'zipf' ? zipfSampler(keyCount, zipfExponent, random) : uniformSampler(keyCount, random)
  const keys = Uint32Array.from({ length: requestsInPool }, () => keyOfRank[draw()])
  return pool(one.operation, one.valueBytes, one.depth, keys)
}

/** The reply to one request, whole: used to check replies byte by byte before anything is measured. */
export function expectedReply(operation: Operation, key: number, valueBytes: number): string {
  if (operation === 'set') return 'STORED\r\n'
  if (operation === 'ms') return 'HD\r\n'
  const value = valueFor(key, valueBytes)
  if (operation === 'mg') return `VA ${valueBytes} k${keyName(key)}\r\n${value}\r\n`
  return `VALUE ${keyName(key)} 0 ${valueBytes}\r\n${value}\r\nEND\r\n`
}

function pool(operation: Operation, valueBytes: number, depth: number, keys: Uint32Array): Pool {
  const batches: Batch[] = []
  for (let at = 0; at + depth <= keys.length; at += depth) {
    batches.push(batch(operation, valueBytes, keys.subarray(at, at + depth)))
  }
  return { operation, valueBytes, depth, batches, replyBytes: depth * expectedReply(operation, 0, valueBytes).length }
}

function batch(operation: Operation, valueBytes: number, keys: Uint32Array): Batch {
  let text = ''
  for (const key of keys) text += request(operation, key, valueBytes)
  return { bytes: Buffer.from(text, 'latin1'), keys }
}

function request(operation: Operation, key: number, valueBytes: number): string {
  const name = keyName(key)
  if (operation === 'get') return `get ${name}\r\n`
  if (operation === 'mg') return `mg ${name} k v\r\n`
  const value = valueFor(key, valueBytes)
  return operation === 'ms'
    ? `ms ${name} ${valueBytes}\r\n${value}\r\n`
    : `set ${name} 0 0 ${valueBytes}\r\n${value}\r\n`
}

export function keyName(key: number): string {
  return `k${String(key).padStart(keyBytes - 1, '0')}`
}

/** A value names its key, so that a reply with another key's value is noticed. */
function valueFor(key: number, valueBytes: number): string {
  return keyName(key).padEnd(valueBytes, 'x')
}
