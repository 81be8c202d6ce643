/** What programs pass in: keys and values as strings or bytes, times, flags; checked, and in the form that the table takes. */
import { Bytes } from './bytes.js'
import { StoreArgumentError } from './errors.js'
import type { Key } from './key.js'
import { KEY_MAX } from './layout.js'

const FLAGS_MAX = 2 ** 32 - 1
const U64_END = 2n ** 64n

export class Arguments {
  readonly #key: Key
  readonly #bytes = Bytes.allocate(KEY_MAX)
  readonly #encoder = new TextEncoder()
  #lastValue: Bytes | undefined

  /** Fills `key` again and again. */
  constructor(key: Key) {
    this.#key = key
  }

  /** @throws StoreArgumentError unless it has 1 to 250 bytes. */
  key(key: string | Uint8Array): Key {
    const { u8 } = this.#bytes
    if (typeof key !== 'string') {
      if (!(key instanceof Uint8Array)) throw new StoreArgumentError(`a key is a string or bytes, not ${typeof key}`)
      if (key.length <= KEY_MAX) u8.set(key)
      this.#key.setBytes(this.#bytes, 0, key.length)
      return this.#key
    }
    const length = key.length
    if (length > KEY_MAX) throw new StoreArgumentError(`a key has 1 to ${KEY_MAX} bytes, not ${length}`)
    for (let i = 0; i < length; i++) {
      const code = key.charCodeAt(i)
      if (code > 0x7f) return this.#unicode(key)
      u8[i] = code
    }
    this.#key.setBytes(this.#bytes, 0, length)
    return this.#key
  }

  #unicode(key: string): Key {
    const { read, written } = this.#encoder.encodeInto(key, this.#bytes.u8)
    if (read < key.length) throw new StoreArgumentError(`a key has 1 to ${KEY_MAX} bytes, not more`)
    this.#key.setBytes(this.#bytes, 0, written)
    return this.#key
  }

  /** The same array stored again and again keeps its wrapper. */
  value(value: string | Uint8Array): Bytes {
    if (typeof value === 'string') return new Bytes(Buffer.from(value))
    if (!(value instanceof Uint8Array))
      throw new StoreArgumentError(`a value is a string or bytes, not ${typeof value}`)
    if (this.#lastValue?.u8 !== value) this.#lastValue = new Bytes(value)
    return this.#lastValue!
  }
}

export function checkTtl(ttlMs: number): number {
  if (!Number.isFinite(ttlMs)) throw new StoreArgumentError(`a time to live is a number of milliseconds, not ${ttlMs}`)
  return ttlMs
}

export function checkWait(waitMs: number): number {
  if (!(waitMs >= 0)) throw new StoreArgumentError(`a wait is 0 or more milliseconds, not ${waitMs}`)
  return waitMs
}

export function checkToken(cas: bigint): bigint {
  if (typeof cas !== 'bigint') throw new StoreArgumentError(`a CAS token is a bigint, not ${typeof cas}`)
  return cas
}

export function checkFlags(flags: number): number {
  if (!Number.isInteger(flags) || flags < 0 || flags > FLAGS_MAX)
    throw new StoreArgumentError(`flags are 0 to ${FLAGS_MAX}, not ${flags}`)
  return flags
}

export function checkFence(fence: bigint): bigint {
  if (typeof fence === 'bigint' && fence >= 0n && fence < U64_END) return fence
  throw new StoreArgumentError(`a fence is a bigint from 0 to 2^64 − 1, not ${fence}`)
}

export function checkDelta(delta: bigint | number): bigint {
  if (typeof delta === 'number' && !Number.isSafeInteger(delta))
    throw new StoreArgumentError(`a delta is a whole number from 0 to 2^64 − 1, not ${delta}`)
  const whole = BigInt(delta)
  if (whole < 0n || whole >= U64_END)
    throw new StoreArgumentError(`a delta is a whole number from 0 to 2^64 − 1, not ${delta}`)
  return whole
}
