import { type Random, seededRandom, shuffledIndices } from '../support/random.js'
import { zipfSampler } from '../support/zipf.js'

export type TraceKind = 'plain' | 'mixed sizes' | 'scans' | 'TTLs'

/** A stream of keys to read through the cache, and what to store for each that was missed. */
export interface Trace {
  kind: TraceKind
  exponent: number
  keys: Uint32Array
  /** Requests at the start that fill the cache and are not counted. */
  warmUp: number
  valueBytes(key: number): number
  /** 0 for ever. */
  ttlSeconds(key: number): number
  /** Undefined: as fast as it goes, since nothing in the trace depends on the time of day. */
  requestsPerSecond: number | undefined
}

export interface TraceSize {
  distinctKeys: number
  requests: number
}

const fixedValueBytes = 300
const scanEvery = 50_000
const scanLength = 10_000
const ttlShare = 0.3
const ttlRequestsPerSecond = 100_000

export function makeTrace(kind: TraceKind, exponent: number, size: TraceSize): Trace {
  const random = seededRandom(Math.round(exponent * 1000))
  const keys = popularKeys(exponent, size, random)
  if (kind === 'scans') addScans(keys, size.distinctKeys)
  return {
    kind,
    exponent,
    keys,
    warmUp: Math.floor(size.requests * 0.4),
    valueBytes: kind === 'mixed sizes' ? mixedSize : () => fixedValueBytes,
    ttlSeconds: kind === 'TTLs' ? someTtl : () => 0,
    requestsPerSecond: kind === 'TTLs' ? ttlRequestsPerSecond : undefined,
  }
}

function popularKeys(exponent: number, size: TraceSize, random: Random): Uint32Array {
  const keyOfRank = shuffledIndices(size.distinctKeys, random)
  const draw = zipfSampler(size.distinctKeys, exponent, random)
  return Uint32Array.from({ length: size.requests }, () => keyOfRank[draw()])
}

/** A fifth of the requests become runs over keys that nobody asks for again, as a backup or a crawler makes. */
function addScans(keys: Uint32Array, firstUnusedKey: number): void {
  let next = firstUnusedKey
  for (let start = scanEvery - scanLength; start < keys.length; start += scanEvery) {
    const end = Math.min(start + scanLength, keys.length)
    for (let at = start; at < end; at++) keys[at] = next++
  }
}

/** 20 to 2,000 bytes, log-uniform, always the same for a key. */
function mixedSize(key: number): number {
  return Math.floor(20 * 100 ** keyed(key, 1))
}

/** 30 % of the keys live 2 to 10 seconds, always the same for a key; the others for ever. */
function someTtl(key: number): number {
  return keyed(key, 2) < ttlShare ? 2 + Math.floor(keyed(key, 3) * 9) : 0
}

/** A number in [0, 1) that depends on the key and on what it is for alone. */
function keyed(key: number, purpose: number): number {
  return seededRandom(Math.imul(key, 0x9e3779b1) + purpose)()
}
