import { seededRandom, shuffledIndices } from '../support/random.js'
import { keyCount, manyKeys } from './cells.js'
import type { Value, ValueKind } from './subjects/subject.js'

const sequenceLength = 1 << 14
const listCount = 64
/** A prime, so that neighbouring keys differ, and keys in step with the sequence do too. */
const distinctValues = 61
const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

export interface KeyList {
  items: number[]
  keys: string[]
}

/** Keys, values and the order of access of one contender; the same for all but for the keys' prefix. */
export class Workload {
  readonly keys: readonly string[]
  /** Which item comes next. */
  readonly sequence: Uint16Array
  /** Arguments of getMany: distinct keys, in random order. */
  readonly lists: readonly KeyList[]

  constructor(prefix: string) {
    const random = seededRandom(1)
    this.keys = Array.from({ length: keyCount }, (_, item) => `${prefix}:${String(item).padStart(6, '0')}`)
    this.sequence = Uint16Array.from({ length: sequenceLength }, () => Math.floor(random() * keyCount))
    this.lists = Array.from({ length: listCount }, () => {
      const items = [...shuffledIndices(keyCount, random).subarray(0, manyKeys)]
      return { items, keys: items.map((item) => this.keys[item]) }
    })
  }
}

/** Letters and digits, so that text and bytes have one length, and no client has anything to escape. */
export class Values {
  readonly #values: readonly Value[]

  constructor(
    readonly kind: ValueKind,
    readonly valueBytes: number,
  ) {
    const random = seededRandom(valueBytes)
    this.#values = Array.from({ length: distinctValues }, () => {
      const text = Buffer.from(Array.from({ length: valueBytes }, () => letters.charCodeAt(random() * letters.length)))
      return kind === 'bytes' ? text : text.toString('latin1')
    })
  }

  of(item: number): Value {
    return this.#values[item % distinctValues]
  }

  /** @throws Error when `found` is missing, of the wrong length or kind, or, with `content`, not the item's value. */
  check(item: number, found: Value | null | undefined, content: boolean): void {
    if (found === undefined || found === null) throw new Error(`item ${item} was missed`)
    if (found.length !== this.valueBytes) throw new Error(`item ${item} has ${found.length} bytes`)
    if (content && !this.#same(found, this.of(item))) throw new Error(`item ${item} has a wrong value`)
  }

  #same(found: Value, wanted: Value): boolean {
    return typeof found === 'string'
      ? found === wanted
      : typeof wanted !== 'string' && Buffer.compare(found, wanted) === 0
  }
}
