/**
 * From the sequence numbers that stripes count up to CAS tokens. Tokens begin at an *epoch*, which counts from 2020 in 4096ths
 * of a microsecond, finer than any stripe can hand them out: so what a table gave in its life is below what the clock
 * says at its end, and the next one's begin above that.
 *
 * A table that was brought back from an image has two eras or more: the items that came with it keep the tokens that they
 * had, and new ones count from an epoch of the new start. What some other server gave in between is then below them, too.
 */
const BEGINNING_MS = Date.UTC(2020, 0, 1)
const STEPS_PER_MS = 4096n * 1000n

/** The first token of a table that is made at this time of the wall clock. */
export function casEpochAt(wallMs: number): bigint {
  return BigInt(Math.floor(wallMs) - BEGINNING_MS) * STEPS_PER_MS
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
  readonly #stripeBits: bigint

  /** `eras`, at least one, are in the order in which they began. */
  constructor(eras: readonly CasEra[], stripes: number) {
    this.#eras = eras
    this.#last = eras.at(-1)!
    this.#stripeBits = BigInt(Math.log2(stripes))
  }

  /** Sequence numbers of different stripes are told apart by the stripe in the low bits. */
  of(sequence: number, stripe: number): bigint {
    const era = sequence > this.#last.afterSequence ? this.#last : this.#eraOf(sequence)
    return era.epoch + ((BigInt(sequence - era.afterSequence) << this.#stripeBits) | BigInt(stripe))
  }

  #eraOf(sequence: number): CasEra {
    return this.#eras.findLast(({ afterSequence }) => sequence > afterSequence) ?? this.#eras[0]!
  }

  /** Above every token that can have been given when the store's time is `ms`. */
  ceiling(ms: number): bigint {
    return this.#last.epoch + BigInt(Math.ceil(ms - this.#last.fromMs) + 1) * STEPS_PER_MS
  }
}
