/**
 * Which keys of the stripe under lock may have a new holder to find: noted where items go, or get another end of life, and
 * looked at before the stripe is unlocked (`hand-over.ts`). Notes nothing, for one load, when nobody waits.
 */
import type { Key } from './key.js'
import { Mark, Stripe } from './layout.js'
import type { Memory } from './memory.js'

const None = 0
const One = 1
const Any = 2

export class Changes {
  readonly #memory: Memory
  /** The key, when it is one. This thread's own note: should the thread die, a repair looks at all keys. */
  readonly #key: Key
  #which = None

  constructor(memory: Memory, key: Key) {
    this.#memory = memory
    this.#key = key
  }

  /** The key of an item has become vacant, or its item ends at another time than before. */
  noteLocked(stripe: number, key: Key): void {
    const at = this.#memory.stripeAt(stripe) + Stripe.Marks
    const { control } = this.#memory
    if ((control[at]! & Mark.HasWaiters) === 0) return
    if (this.#which === None) {
      this.#key.setWords(key.words, 0, key.length)
      this.#which = One
    } else if (this.#which !== One || !this.#key.equals(key)) this.#which = Any
    control[at]! |= Mark.Changed
  }

  /** Any of the stripe's keys may have become vacant. */
  noteAllLocked(stripe: number): void {
    const at = this.#memory.stripeAt(stripe) + Stripe.Marks
    const { control } = this.#memory
    if ((control[at]! & Mark.HasWaiters) === 0) return
    this.#which = Any
    control[at]! |= Mark.Changed
  }

  /** What was noted, which is thereby forgotten: one key, or undefined when it may be any. */
  takeLocked(stripe: number): Key | undefined {
    const one = this.#which === One
    this.#which = None
    this.#memory.control[this.#memory.stripeAt(stripe) + Stripe.Marks]! &= ~Mark.Changed
    return one ? this.#key : undefined
  }
}
