/**
 * From the sequence numbers that stripes count up to CAS tokens. Tokens begin at an *epoch*, which counts from 2020 in 4096ths
 * of a microsecond, finer than any stripe can hand them out: so what a table gave in its life is below what the clock
 * says at its end, and the next one's begin above that.
 *
 * A table that was brought back from an image has two eras or more: the items that came with it keep the tokens that they
 * had, and new ones count from an epoch of the new start. What some other server gave in between is then below them, too.
 */
import type { Bytes } from './bytes.js'

const TWO_32 = 2 ** 32
const BEGINNING_MS = Date.UTC(2020, 0, 1)
const STEPS_PER_MS = 4096n * 1000n

/** The first token of a table that is made at this time of the wall clock: 0 where that has not been set yet. */
export function casEpochAt(wallMs: number): bigint {
  return BigInt(Math.max(0, Math.floor(wallMs) - BEGINNING_MS)) * STEPS_PER_MS
}

export interface CasEra {
  /** What tokens count from. */
  readonly epoch: bigint
  /** Sequence numbers above it, up to the next era's, belong to this one; in all stripes. */
  readonly afterSequence: number
  /** When it began, in ms since the store did. */
  readonly fromMs: number
}

export class Tokens {
  readonly #eras: readonly CasEra[]
  readonly #last: CasEra
  readonly #bits: number
  readonly #stripeBits: bigint
  /** The two halves of the last era's epoch. */
  readonly #epochHigh: number
  readonly #epochLow: number

  /** `eras`, at least one, are in the order in which they began. */
  constructor(eras: readonly CasEra[], stripes: number) {
    this.#eras = eras
    this.#last = eras.at(-1)!
    this.#bits = Math.log2(stripes)
    this.#stripeBits = BigInt(this.#bits)
    this.#epochHigh = Number(this.#last.epoch >> 32n)
    this.#epochLow = Number(BigInt.asUintN(32, this.#last.epoch))
  }

  /** Sequence numbers of different stripes are told apart by the stripe in the low bits. */
  of(sequence: number, stripe: number): bigint {
    const era = sequence > this.#last.afterSequence ? this.#last : this.#eraOf(sequence)
    return era.epoch + ((BigInt(sequence - era.afterSequence) << this.#stripeBits) | BigInt(stripe))
  }

  /** The same as 8 bytes, big-endian; of the last era's without a bigint on the way. */
  copy(sequence: number, stripe: number, target: Bytes, at: number): void {
    const { view } = target
    const count = sequence - this.#last.afterSequence
    if (count <= 0) {
      view.setBigUint64(at, this.of(sequence, stripe))
      return
    }
    const bits = this.#bits
    const countLow = count >>> 0
    const low = (((countLow << bits) | stripe) >>> 0) + this.#epochLow
    // Shifting by 32 would shift by nothing.
    const carried = bits === 0 ? 0 : countLow >>> (32 - bits)
    const high = Math.floor(count / TWO_32) * 2 ** bits + carried + this.#epochHigh
    view.setUint32(at, low >= TWO_32 ? high + 1 : high)
    view.setUint32(at + 4, low)
  }

  #eraOf(sequence: number): CasEra {
    return this.#eras.findLast(({ afterSequence }) => sequence > afterSequence) ?? this.#eras[0]!
  }

  /** Above every token that can have been given when the store's time is `ms`. */
  ceiling(ms: number): bigint {
    return this.#last.epoch + BigInt(Math.ceil(ms - this.#last.fromMs) + 1) * STEPS_PER_MS
  }
}
