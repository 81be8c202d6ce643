/**
 * A key with its hashes, taken out of a buffer once and then used for every look-up and comparison.
 *
 * The hash is two multiply-rotate lanes over the key's 32-bit words, each closed with the finalizer of Austin
 * Appleby's MurmurHash3; a seed per store keeps outsiders from choosing keys that share a stripe.
 */
import type { Bytes } from './bytes.js'
import { StoreArgumentError } from './errors.js'
import { KEY_MAX, STRIPE_BITS, TAG_SHIFT } from './layout.js'

const WORDS_MAX = Math.ceil(KEY_MAX / 4)
const STRIPE_MASK = (1 << STRIPE_BITS) - 1

/** Begins the key of a fence register; what follows is the key that it guards, and decides its stripe. */
export const FENCE_PREFIX = new TextEncoder().encode('latchkey:fence:')
export const FENCE_PREFIX_LENGTH = FENCE_PREFIX.length
/** The prefix is three words and three bytes: so many bits the guarded key is shifted by. */
const FENCE_WORDS = 3
const FENCE_BITS = 24
const fenceView = new DataView(Uint8Array.of(...FENCE_PREFIX, 0).buffer)
const [FENCE_0, FENCE_1, FENCE_2, FENCE_3] = [0, 4, 8, 12].map((at) => fenceView.getInt32(at, true))
const FENCE_3_MASK = (1 << FENCE_BITS) - 1

function finalize(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** A guarded key, word by word. */
const guarded = new Int32Array(WORDS_MAX)

export class Key {
  /** The key's bytes, zero-padded to whole words: records hold keys the same way, so words compare. */
  readonly words = new Int32Array(WORDS_MAX)
  /** Bytes. */
  length = 0
  wordLength = 0
  /** Stripe, bucket and tag come from `first`; the directory prefix from the top of `second`. */
  first = 0
  second = 0
  readonly #seed: number
  readonly #stripeMask: number

  constructor(seed: number, stripes: number) {
    this.#seed = seed
    this.#stripeMask = stripes - 1
  }

  /** This is the key of a fence register. */
  get isFence(): boolean {
    const { words } = this
    return (
      words[0] === FENCE_0 &&
      this.length > FENCE_PREFIX_LENGTH &&
      words[1] === FENCE_1 &&
      words[2] === FENCE_2 &&
      (words[3]! & FENCE_3_MASK) === FENCE_3
    )
  }

  get stripe(): number {
    return this.first & this.#stripeMask
  }

  get bucket(): number {
    return (this.first >>> STRIPE_BITS) & 0x3fff
  }

  get tag(): number {
    return this.first >>> TAG_SHIFT
  }

  /**
   * Takes the `length` bytes of `source` from `start` on.
   * @throws StoreArgumentError unless `length` is 1 to 250.
   */
  setBytes(source: Bytes, start: number, length: number): void {
    if (length < 1 || length > KEY_MAX) throw new StoreArgumentError(`a key has 1 to ${KEY_MAX} bytes, not ${length}`)
    const { view } = source
    const { words } = this
    const whole = length >> 2
    for (let i = 0; i < whole; i++) words[i] = view.getInt32(start + i * 4, true)
    const rest = length & 3
    if (rest !== 0) {
      const { u8 } = source
      const at = start + whole * 4
      let word = u8[at]!
      if (rest > 1) word |= u8[at + 1]! << 8
      if (rest > 2) word |= u8[at + 2]! << 16
      words[whole] = word
    }
    this.#take(length)
  }

  /** Takes a key out of a record: `length` bytes as zero-padded words from `at` on. */
  setWords(source: Int32Array, at: number, length: number): void {
    const count = (length + 3) >> 2
    for (let i = 0; i < count; i++) this.words[i] = source[at + i]!
    this.#take(length)
  }

  /** A copy of the key's bytes: for logs, not for look-ups. */
  toBytes(): Uint8Array {
    const { words } = this
    return Uint8Array.from({ length: this.length }, (_, i) => words[i >> 2]! >>> ((i & 3) << 3))
  }

  equals(other: Key): boolean {
    if (this.first !== other.first || this.length !== other.length) return false
    for (let i = this.wordLength - 1; i >= 0; i--) if (this.words[i] !== other.words[i]) return false
    return true
  }

  #take(length: number): void {
    this.length = length
    this.wordLength = (length + 3) >> 2
    if (this.isFence) this.#hashGuarded()
    else this.#hash(this.words, length)
  }

  #hash(words: Int32Array, length: number): void {
    const count = (length + 3) >> 2
    let first = this.#seed ^ length
    let second = ~this.#seed
    for (let i = 0; i < count; i++) {
      const word = words[i]!
      first = Math.imul(first ^ word, 0x9e3779b1)
      first = (first << 15) | (first >>> 17)
      second = Math.imul(second + word, 0x27d4eb2f)
      second = (second << 13) | (second >>> 19)
    }
    this.first = finalize(first ^ (second >>> 7))
    this.second = finalize(second ^ length)
  }

  /** The register's own hashes, but the stripe of the key that it guards: a pure function of the bytes, like any other. */
  #hashGuarded(): void {
    const { words, wordLength } = this
    for (let i = FENCE_WORDS; i < wordLength; i++) {
      const following = i + 1 < wordLength ? words[i + 1]! : 0
      guarded[i - FENCE_WORDS] = (words[i]! >>> FENCE_BITS) | (following << (32 - FENCE_BITS))
    }
    this.#hash(guarded, this.length - FENCE_PREFIX_LENGTH)
    const stripeBits = this.first & STRIPE_MASK
    this.#hash(words, this.length)
    this.first = (this.first & ~STRIPE_MASK) | stripeBits
  }
}
