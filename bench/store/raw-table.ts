/**
 * The raw-JS bound: the least that a table in shared memory can do and still be one. A lock word a stripe, fixed slots of
 * two cache lines that are never given back; no eviction, no expiry, no CAS token, one key and value length. A machine
 * on which this is slow is a slow machine; a store that is far behind it is a slow store.
 *
 * Memory, in 32-bit words:  locks | slots.  A slot:  0 used | 1..3 key | 4..28 value | 29..31 nothing
 */
import { keyBlock, keyBytes, type Subject, sampleValue, valueBytes } from './subject.js'

const stripes = 1024
const slotsPerStripe = 256
const slotWords = 32
const keyAt = 1
const keyWords = keyBytes / 4
const valueAt = keyAt + keyWords
const valueWords = valueBytes / 4
const slotsAt = stripes

export function createRawTable(): SharedArrayBuffer {
  return new SharedArrayBuffer((slotsAt + stripes * slotsPerStripe * slotWords) * 4)
}

export class RawTable implements Subject {
  readonly #words: Int32Array
  readonly #keys = viewOf(keyBlock())
  readonly #value = viewOf(sampleValue())
  readonly #out = viewOf(new Uint8Array(valueBytes))

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory)
  }

  get(item: number): number {
    const hash = this.#hash(item)
    this.#lock(hash)
    const at = this.#slot(item, hash)
    const found = this.#words[at] === 1
    if (found) copyOut(this.#words, at + valueAt, this.#out)
    this.#unlock(hash)
    return found ? valueBytes : 0
  }

  set(item: number): void {
    const hash = this.#hash(item)
    this.#lock(hash)
    const at = this.#slot(item, hash)
    this.#words[at] = 1
    copyIn(this.#keys, item * keyBytes, this.#words, at + keyAt, keyWords)
    copyIn(this.#value, 0, this.#words, at + valueAt, valueWords)
    this.#unlock(hash)
  }

  /** The slot of the key, or the free one where it would go; probing stays inside the stripe. */
  #slot(item: number, hash: number): number {
    const first = stripeOf(hash) * slotsPerStripe
    for (let probe = hash >>> 10; ; probe++) {
      const at = slotsAt + (first + (probe & (slotsPerStripe - 1))) * slotWords
      if (this.#words[at] === 0 || this.#holds(at + keyAt, item)) return at
    }
  }

  #holds(at: number, item: number): boolean {
    const start = item * keyBytes
    for (let i = 0; i < keyWords; i++) {
      if (this.#words[at + i] !== this.#keys.getInt32(start + i * 4, true)) return false
    }
    return true
  }

  #hash(item: number): number {
    const start = item * keyBytes
    let hash = keyBytes
    for (let i = 0; i < keyWords; i++) {
      hash = Math.imul(hash ^ this.#keys.getInt32(start + i * 4, true), 0x9e3779b1)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash, 0x85ebca6b)
    return (hash ^ (hash >>> 13)) >>> 0
  }

  #lock(hash: number): void {
    while (Atomics.compareExchange(this.#words, stripeOf(hash), 0, 1) !== 0);
  }

  #unlock(hash: number): void {
    Atomics.store(this.#words, stripeOf(hash), 0)
  }
}

function stripeOf(hash: number): number {
  return hash & (stripes - 1)
}

function copyOut(words: Int32Array, from: number, target: DataView): void {
  for (let i = 0; i < valueWords; i++) target.setInt32(i * 4, words[from + i], true)
}

function copyIn(source: DataView, start: number, words: Int32Array, to: number, count: number): void {
  for (let i = 0; i < count; i++) words[to + i] = source.getInt32(start + i * 4, true)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
