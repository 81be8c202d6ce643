/**
 * Which keys are pinned: those that begin with one of the configured prefixes, which are locks, and two kinds of registers: of
 * fences, and of what is built on locks. A register is kept like a lock, but nobody holds it: its life is no lease. Compared by
 * whole words of the key.
 */
import { Bytes } from './bytes.js'
import { StoreArgumentError } from './errors.js'
import type { Key } from './key.js'
import { KEY_MAX } from './layout.js'

interface Prefix {
  readonly length: number
  readonly words: Int32Array
  readonly masks: Int32Array
}

export class PinnedPrefixes {
  readonly #prefixes: readonly Prefix[]

  /** @throws StoreArgumentError for an empty prefix, or one longer than a key. */
  constructor(prefixes: readonly string[]) {
    this.#prefixes = prefixes.map(compile)
  }

  isPinned(key: Key): boolean {
    return this.#hasPrefix(key) || isRegister(key)
  }

  /** A pinned key whose life is a lease on a lock. */
  isLock(key: Key): boolean {
    return this.#hasPrefix(key) && !isRegister(key)
  }

  #hasPrefix(key: Key): boolean {
    for (const prefix of this.#prefixes) {
      if (matches(prefix, key)) return true
    }
    return false
  }
}

const REGISTERS = compile('latchkey:register:')

/** Both kinds begin alike: nearly all other keys are told by their first word. */
function isRegister(key: Key): boolean {
  return key.words[0] === REGISTERS.words[0] && (key.isFence || matches(REGISTERS, key))
}

function compile(text: string): Prefix {
  const encoded = new TextEncoder().encode(text)
  const { length } = encoded
  if (length < 1 || length > KEY_MAX)
    throw new StoreArgumentError(`a pinned prefix has 1 to ${KEY_MAX} bytes, not ${length}`)
  const wordLength = (length + 3) >> 2
  const padded = Bytes.allocate(wordLength * 4)
  const mask = Bytes.allocate(wordLength * 4)
  padded.u8.set(encoded)
  mask.u8.fill(0xff, 0, length)
  const wordsOf = (bytes: Bytes) => Int32Array.from({ length: wordLength }, (_, i) => bytes.view.getInt32(i * 4, true))
  return { length, words: wordsOf(padded), masks: wordsOf(mask) }
}

function matches(prefix: Prefix, key: Key): boolean {
  if (key.length < prefix.length) return false
  for (let i = 0; i < prefix.words.length; i++) {
    if ((key.words[i]! & prefix.masks[i]!) !== prefix.words[i]) return false
  }
  return true
}
