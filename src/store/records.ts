/**
 * Reading and writing records. A record is addressed by its location; the functions here know the header, the
 * optional fields and how a value runs over the ends of pages. The record's stripe is locked throughout.
 */
import { type Bytes, copyBytes } from './bytes.js'
import type { Key } from './key.js'
import {
  BUFFER_UNITS_MASK,
  BUFFER_UNITS_SHIFT,
  CAS_HIGH_SHIFT,
  FIELDS_MASK,
  FREQUENCY_MAX,
  FREQUENCY_SHIFT,
  HEADER_WORDS,
  Page,
  RECORD_WORDS,
  Record,
  STATE_SHIFT,
  State,
  VALUE_LENGTH_MASK,
} from './layout.js'
import type { Memory } from './memory.js'

const TWO_32 = 2 ** 32

/** Units of a record with these field bits. */
export function recordUnits(fields: number, keyLength: number, valueLength: number): number {
  return (HEADER_WORDS[fields]! + ((keyLength + 3) >> 2) + ((valueLength + 3) >> 2) + 1) >> 1
}

/** Units that must lie in one page: header and key. */
export function leadingUnits(fields: number, keyLength: number): number {
  return (HEADER_WORDS[fields]! + ((keyLength + 3) >> 2) + 1) >> 1
}

/** What the fixed header says besides the key's length. */
export interface Header {
  state: number
  sequenceHigh: number
  sequenceLow: number
  accessSeconds: number
  valueLength: number
  frequency: number
}

/** One record, found by `at`. A cursor: it is moved from record to record, and never made in an operation. */
export class RecordCursor {
  readonly memory: Memory
  location = 0
  /** The data buffer's words, and the index of the record's first word in them. */
  words: Int32Array
  index = 0
  /** Where the walk over a value that leaves its page has come to. */
  #page = 0
  #inPage = 0
  #pieceBuffer = 0
  #pieceByte = 0
  #pieceLength = 0

  constructor(memory: Memory) {
    this.memory = memory
    this.words = memory.words[0]!
  }

  at(location: number): this {
    this.location = location
    this.words = this.memory.words[location >>> BUFFER_UNITS_SHIFT]!
    this.index = (location & BUFFER_UNITS_MASK) << 1
    return this
  }

  get state(): number {
    return (this.words[this.index + Record.Meta]! >>> STATE_SHIFT) & 0xff
  }

  set state(state: number) {
    const meta = this.words[this.index + Record.Meta]!
    this.words[this.index + Record.Meta] = (meta & ~(0xff << STATE_SHIFT)) | (state << STATE_SHIFT)
  }

  get fields(): number {
    return this.state & FIELDS_MASK
  }

  get keyLength(): number {
    return this.words[this.index + Record.Meta]! & 0xff
  }

  get valueLength(): number {
    return this.words[this.index + Record.Value]! & VALUE_LENGTH_MASK
  }

  get units(): number {
    return recordUnits(this.fields, this.keyLength, this.valueLength)
  }

  get keyIndex(): number {
    return this.index + HEADER_WORDS[this.fields]!
  }

  get valueIndex(): number {
    const meta = this.words[this.index + Record.Meta]!
    return this.index + HEADER_WORDS[(meta >>> STATE_SHIFT) & FIELDS_MASK]! + (((meta & 0xff) + 3) >> 2)
  }

  get frequency(): number {
    return this.words[this.index + Record.Value]! >>> FREQUENCY_SHIFT
  }

  set frequency(frequency: number) {
    const word = this.words[this.index + Record.Value]!
    this.words[this.index + Record.Value] = (word & VALUE_LENGTH_MASK) | (frequency << FREQUENCY_SHIFT)
  }

  /** The CAS sequence number within the stripe, 48 bits. */
  get sequence(): number {
    return this.sequenceHigh * TWO_32 + (this.sequenceLow >>> 0)
  }

  get sequenceHigh(): number {
    return this.words[this.index + Record.Meta]! >>> CAS_HIGH_SHIFT
  }

  get sequenceLow(): number {
    return this.words[this.index + Record.CasLow]!
  }

  setSequence(high: number, low: number): void {
    const meta = this.words[this.index + Record.Meta]!
    this.words[this.index + Record.Meta] = (meta & 0xffff) | (high << CAS_HIGH_SHIFT)
    this.words[this.index + Record.CasLow] = low
  }

  get accessSeconds(): number {
    return this.words[this.index + Record.Access]!
  }

  set accessSeconds(seconds: number) {
    this.words[this.index + Record.Access] = seconds
  }

  /** Absolute, in ms since the store began; 0 for never. */
  get expiresAtMs(): number {
    if ((this.state & State.HasExpiry) === 0) return 0
    const at = this.index + RECORD_WORDS
    return this.words[at]! * TWO_32 + (this.words[at + 1]! >>> 0)
  }

  /** Only with `State.HasExpiry`. */
  set expiresAtMs(ms: number) {
    const at = this.index + RECORD_WORDS
    this.words[at] = Math.floor(ms / TWO_32)
    this.words[at + 1] = ms | 0
  }

  get ownCas(): bigint {
    const at = this.#ownCasIndex
    return (BigInt(this.words[at]! >>> 0) << 32n) | BigInt(this.words[at + 1]! >>> 0)
  }

  /** Only with `State.HasCas`. */
  set ownCas(cas: bigint) {
    const at = this.#ownCasIndex
    this.words[at] = Number(cas >> 32n) | 0
    this.words[at + 1] = Number(cas & 0xffffffffn) | 0
  }

  get #ownCasIndex(): number {
    return this.index + RECORD_WORDS + ((this.state & State.HasExpiry) !== 0 ? 2 : 0)
  }

  get flags(): number {
    return (this.state & State.HasFlags) === 0 ? 0 : this.words[this.keyIndex - 1]! >>> 0
  }

  /** Only with `State.HasFlags`. */
  set flags(flags: number) {
    this.words[this.keyIndex - 1] = flags | 0
  }

  readKey(key: Key): void {
    key.setWords(this.words, this.keyIndex, this.keyLength)
  }

  hasKey(key: Key): boolean {
    const { words, index } = this
    // The header is loaded once: getters would load it again, as another thread might have changed it for all V8 knows.
    const meta = words[index + Record.Meta]!
    if ((meta & 0xff) !== key.length) return false
    const at = index + HEADER_WORDS[(meta >>> STATE_SHIFT) & FIELDS_MASK]!
    for (let i = key.wordLength - 1; i >= 0; i--) {
      if (words[at + i] !== key.words[i]) return false
    }
    return true
  }

  /**
   * Writes the fixed header. The state goes first: a record that is being overwritten says so before anything else of
   * it changes. State, length and key length are also what a walk over the page needs to step over the record.
   */
  writeHeader(header: Header, keyLength: number): void {
    const { words, index } = this
    words[index + Record.Meta] = keyLength | (header.state << STATE_SHIFT) | (header.sequenceHigh << CAS_HIGH_SHIFT)
    words[index + Record.CasLow] = header.sequenceLow
    words[index + Record.Access] = header.accessSeconds
    words[index + Record.Value] = header.valueLength | (header.frequency << FREQUENCY_SHIFT)
  }

  writeKey(key: Key): void {
    const at = this.keyIndex
    for (let i = 0; i < key.wordLength; i++) this.words[at + i] = key.words[i]!
  }

  /** Counts a hit by a reader. */
  touchHit(coarseSeconds: number): void {
    this.bump(coarseSeconds)
    const { words, index } = this
    const meta = words[index + Record.Meta]!
    if ((meta & (State.Fetched << STATE_SHIFT)) === 0)
      words[index + Record.Meta] = meta | (State.Fetched << STATE_SHIFT)
  }

  /** Counts any use. Saturated counters are not written again: a hot record's line stays shared between caches. */
  bump(coarseSeconds: number): void {
    const { words, index } = this
    const value = words[index + Record.Value]!
    if (value >>> FREQUENCY_SHIFT < FREQUENCY_MAX) words[index + Record.Value] = (value + (1 << FREQUENCY_SHIFT)) | 0
    if (words[index + Record.Access] !== coarseSeconds) words[index + Record.Access] = coarseSeconds
  }

  /** Copies value bytes `[from, from + length)` out. */
  copyOut(from: number, length: number, target: Bytes, at: number): void {
    let to = at
    for (this.#walkFrom(from); to < at + length; to += this.#pieceLength) {
      this.#nextPiece(at + length - to)
      copyBytes(this.memory.buffers[this.#pieceBuffer]!, this.#pieceByte, target, to, this.#pieceLength)
    }
  }

  /** Copies `length` bytes of `source` from `start` on into the value at `from`. */
  copyIn(from: number, length: number, source: Bytes, start: number): void {
    let done = 0
    for (this.#walkFrom(from); done < length; done += this.#pieceLength) {
      this.#nextPiece(length - done)
      copyBytes(source, start + done, this.memory.buffers[this.#pieceBuffer]!, this.#pieceByte, this.#pieceLength)
    }
  }

  /** Makes this fresh record, which has room for it, the same as another. */
  copyRecord(other: RecordCursor): void {
    const leading = other.keyIndex - other.index + ((other.keyLength + 3) >> 2)
    for (let i = 0; i < leading; i++) this.words[this.index + i] = other.words[other.index + i]!
    this.copyValueOf(other, 0)
  }

  /** Copies the whole value of another record into this one's, from byte `at` on. */
  copyValueOf(other: RecordCursor, at: number): void {
    const length = other.valueLength
    let done = 0
    for (other.#walkFrom(0); done < length; done += other.#pieceLength) {
      other.#nextPiece(length - done)
      this.copyIn(at + done, other.#pieceLength, this.memory.buffers[other.#pieceBuffer]!, other.#pieceByte)
    }
  }

  /** Copies the whole value out; the common case, a value within its page, costs no walk. */
  copyValue(target: Bytes, at: number): void {
    const length = this.valueLength
    const byte = this.valueIndex << 2
    if (this.#fitsPage(length)) {
      copyBytes(this.memory.buffers[this.location >>> BUFFER_UNITS_SHIFT]!, byte, target, at, length)
    } else this.copyOut(0, length, target, at)
  }

  /** Fills the whole value from `source`. */
  fillValue(source: Bytes, start: number): void {
    const length = this.valueLength
    const byte = this.valueIndex << 2
    if (this.#fitsPage(length)) {
      copyBytes(source, start, this.memory.buffers[this.location >>> BUFFER_UNITS_SHIFT]!, byte, length)
    } else this.copyIn(0, length, source, start)
  }

  /** Counted from the record's start, which is inside the page: an empty stretch may begin exactly at the page's end. */
  #fitsPage(length: number): boolean {
    const { pageUnits } = this.memory
    const unit = this.location & (pageUnits - 1)
    return (unit << 3) + ((this.valueIndex - this.index) << 2) + length <= pageUnits << 3
  }

  /** Begins a walk over the stretches of memory that hold the value from byte `from` on. */
  #walkFrom(from: number): void {
    const { memory } = this
    this.#page = this.location >>> memory.pageUnitsShift
    this.#inPage = ((this.location & (memory.pageUnits - 1)) << 3) + ((this.valueIndex - this.index) << 2) + from
  }

  /** Moves to the next stretch, of at most `most` bytes. */
  #nextPiece(most: number): void {
    const { memory } = this
    const pageBytes = memory.pageUnits << 3
    while (this.#inPage >= pageBytes) {
      this.#page = memory.control[memory.pageAt(this.#page) + Page.Continuation]!
      this.#inPage -= pageBytes
    }
    const unit = this.#page << memory.pageUnitsShift
    this.#pieceBuffer = unit >>> BUFFER_UNITS_SHIFT
    this.#pieceByte = ((unit & BUFFER_UNITS_MASK) << 3) + this.#inPage
    this.#pieceLength = Math.min(most, pageBytes - this.#inPage)
    this.#inPage += this.#pieceLength
  }
}
