import { seededRandom, shuffledIndices } from '../support/random.js'
import { uniformSampler, zipfSampler } from '../support/zipf.js'
import { batchEnd, binaryReply, binaryRequest, withoutTokens } from './binary.js'
import { type Case, keyCount, type Operation, type Wire, zipfExponent } from './cases.js'
import { textReply, textRequest } from './text.js'

/** Enough that a whole round touches about as many keys as there are: fewer would measure a warm CPU cache. */
const requestsInPool = 131_072
const loadDepth = 100
const loadDepthOverTls = 8

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
export function loadingPool(wire: Wire, valueBytes: number): Pool {
  return pool(
    wire === 'binary' ? 'binary set' : 'set',
    valueBytes,
    wire === 'tls' ? loadDepthOverTls : loadDepth,
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

/** Compares the reply to a batch, byte by byte: used before anything is measured. */
export function checkReply(reply: string, { operation, valueBytes }: Pool, keys: Uint32Array): void {
  const expected = replyTo(operation, keys, valueBytes)
  const got = isBinary(operation) ? withoutTokens(reply) : reply
  if (got === expected) return
  throw new Error(`a wrong reply to ${operation}: ${got.slice(0, 300)}, not ${expected.slice(0, 300)}`)
}

function pool(operation: Operation, valueBytes: number, depth: number, keys: Uint32Array): Pool {
  const batches: Batch[] = []
  for (let at = 0; at + depth <= keys.length; at += depth) {
    batches.push(batch(operation, valueBytes, keys.subarray(at, at + depth)))
  }
  const replyBytes = replyTo(operation, keys.subarray(0, depth), valueBytes).length
  return { operation, valueBytes, depth, batches, replyBytes }
}

function batch(operation: Operation, valueBytes: number, keys: Uint32Array): Batch {
  const request = isBinary(operation) ? binaryRequest : textRequest
  let text = ''
  for (const key of keys) text += request(operation, key, valueBytes)
  return { bytes: Buffer.from(text + batchEnd(operation, 'request'), 'latin1'), keys }
}

function replyTo(operation: Operation, keys: Uint32Array, valueBytes: number): string {
  const reply = isBinary(operation) ? binaryReply : textReply
  let text = ''
  for (const key of keys) text += reply(operation, key, valueBytes)
  return text + batchEnd(operation, 'reply')
}

function isBinary(operation: Operation): boolean {
  return operation === 'binary get' || operation === 'binary set' || operation === 'getkq'
}
