/** The one item view of a table: what readers get to see of the record under its cursor. */
import type { Bytes } from './bytes.js'
import { State, UNIT_BYTES } from './layout.js'
import type { RecordCursor } from './records.js'
import type { ItemView } from './types.js'

/** The two clocks that a view tells times by. */
interface Times {
  readonly nowMs: number
  readonly coarseSeconds: number
}

/** Where CAS tokens come from. */
export interface TokenSource {
  of(record: RecordCursor): bigint
  copy(record: RecordCursor, target: Bytes, at: number): void
}

export class RecordView implements ItemView {
  readonly #record: RecordCursor
  readonly #times: Times
  readonly #tokens: TokenSource
  readonly #waitersOf: (record: RecordCursor) => number
  /** Set before a reader is called; what it changes in the record is written only afterwards. */
  won = false
  /** When the item would have expired, had this read not touched it. Absolute; 0 for never. */
  expiredBeforeMs = 0

  constructor(record: RecordCursor, times: Times, tokens: TokenSource, waitersOf: (record: RecordCursor) => number) {
    this.#record = record
    this.#times = times
    this.#tokens = tokens
    this.#waitersOf = waitersOf
  }

  get idleSeconds(): number {
    return Math.max(0, this.#times.coarseSeconds - this.#record.accessSeconds)
  }

  get fetched(): boolean {
    return (this.#record.state & State.Fetched) !== 0
  }

  get wonBefore(): boolean {
    return (this.#record.state & State.TokenSent) !== 0
  }

  get flags(): number {
    return this.#record.flags
  }

  get valueLength(): number {
    return this.#record.valueLength
  }

  get keyLength(): number {
    return this.#record.keyLength
  }

  get size(): number {
    return this.#record.units * UNIT_BYTES
  }

  get cas(): bigint {
    return this.#tokens.of(this.#record)
  }

  copyCas(target: Bytes, at: number): void {
    this.#tokens.copy(this.#record, target, at)
  }

  get ttlMs(): number {
    return this.#left(this.#record.expiresAtMs)
  }

  get ttlBeforeMs(): number {
    return this.#left(this.expiredBeforeMs)
  }

  #left(expiresAtMs: number): number {
    return expiresAtMs === 0 ? -1 : expiresAtMs - this.#times.nowMs
  }

  get stale(): boolean {
    return (this.#record.state & State.Stale) !== 0
  }

  get waiters(): number {
    return this.#waitersOf(this.#record)
  }

  copyValue(target: Bytes, at: number): void {
    this.#record.copyValue(target, at)
  }

  copyKey(target: Bytes, at: number): void {
    const { words, keyIndex, keyLength } = this.#record
    for (let i = 0; i < keyLength; i++) target.u8[at + i] = words[keyIndex + (i >> 2)]! >>> ((i & 3) << 3)
  }
}
