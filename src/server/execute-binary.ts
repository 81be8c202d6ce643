/**
 * Where the binary protocol meets the store, as in `execute.ts` the text protocol does: a frame with a key becomes one
 * operation on the table, and what comes of it a response.
 */
import { binary, type Output, ttlMs } from '../protocol/index.js'
import {
  arithmeticOptions,
  type Bytes,
  type Key,
  Outcome,
  readOptions,
  removeOptions,
  type Table,
  WriteMode,
  writeOptions,
} from '../store/index.js'
import { BinaryNumberReader, BinaryStoredReader, BinaryTouchReader, BinaryValueReader } from './binary-readers.js'
import { Cell, Metric, type Metrics } from './metrics.js'
import { PrefixCount, type PrefixCounts } from './prefixes.js'
import { oneLine, refusalOf } from './refusals.js'
import type { ItemTable } from './watched-table.js'

const { BinaryStatus, Opcode } = binary

/** By command. */
const MODES: WriteMode[] = []
MODES[Opcode.Set] = WriteMode.Set
MODES[Opcode.Add] = WriteMode.Add
MODES[Opcode.Replace] = WriteMode.Replace
MODES[Opcode.Append] = WriteMode.Append
MODES[Opcode.Prepend] = WriteMode.Prepend

/** By outcome. */
const STATUSES: binary.BinaryStatus[] = []
STATUSES[Outcome.Done] = BinaryStatus.Ok
STATUSES[Outcome.NotStored] = BinaryStatus.NotStored
STATUSES[Outcome.Exists] = BinaryStatus.Exists
STATUSES[Outcome.NotFound] = BinaryStatus.NotFound
STATUSES[Outcome.TooLarge] = BinaryStatus.TooLarge
STATUSES[Outcome.OutOfMemory] = BinaryStatus.OutOfMemory
STATUSES[Outcome.NonNumeric] = BinaryStatus.NonNumeric

/** An expiry that says: do not make the number when it is not there. */
const NO_INITIAL = 0xffffffff
/** Where things lie in the extras of a store, and of increment and decrement. */
const EXPTIME_AT = 4
const INITIAL_AT = 8
const COUNT_EXPTIME_AT = 16

export class BinaryExecutor {
  readonly frame = new binary.Frame()
  readonly #out: Output
  #table: ItemTable
  readonly #metrics: Metrics
  readonly #prefixes: PrefixCounts
  readonly #key: Key
  readonly #plainRead = readOptions()
  readonly #touchRead = readOptions()
  readonly #write = writeOptions()
  readonly #remove = removeOptions()
  readonly #arithmetic = arithmeticOptions()
  readonly #values: BinaryValueReader
  readonly #touched: BinaryTouchReader
  readonly #stored: BinaryStoredReader
  readonly #numbers: BinaryNumberReader

  constructor(table: Table, out: Output, metrics: Metrics, prefixes: PrefixCounts) {
    this.#table = table
    this.#out = out
    this.#metrics = metrics
    this.#prefixes = prefixes
    this.#key = table.newKey()
    this.#touchRead.touch = true
    this.#values = new BinaryValueReader(out, this.frame)
    this.#touched = new BinaryTouchReader(out, this.frame)
    this.#stored = new BinaryStoredReader(out, this.frame)
    this.#numbers = new BinaryNumberReader(out, this.frame)
  }

  /** The table as it is, or one that tells what is done to it. */
  use(table: ItemTable): void {
    this.#table = table
  }

  /** Answers a frame that names a key. `input` holds all of it. */
  run(input: Bytes): void {
    const at = this.#out.length
    try {
      this.#dispatch(input)
    } catch (error) {
      this.#out.length = at
      this.fail(error)
    }
  }

  /** Trouble inside is the server's error, told to the client, and never the end of the server. */
  fail(error: unknown): void {
    const refusal = refusalOf(error)
    if (refusal !== undefined) {
      const status = refusal.byClient ? BinaryStatus.Invalid : BinaryStatus.Temporary
      binary.writeStrings(this.#out, this.frame, status, '', refusal.why)
      return
    }
    this.#metrics.add(Metric.InternalErrors, 1)
    const message = error instanceof Error ? error.message : String(error)
    binary.writeStrings(this.#out, this.frame, BinaryStatus.Internal, '', oneLine(message))
  }

  #dispatch(input: Bytes): void {
    switch (this.frame.shape.command) {
      case Opcode.Get:
        this.#get()
        break
      case Opcode.Gat:
      case Opcode.Touch:
        this.#getAndTouch()
        break
      case Opcode.Delete:
        this.#delete()
        break
      case Opcode.Increment:
      case Opcode.Decrement:
        this.#count()
        break
      default:
        this.#store(input)
    }
  }

  #useKey(): Key {
    const { frame } = this
    this.#key.setBytes(frame.source, frame.keyStart, frame.keyLength)
    return this.#key
  }

  #note(what: PrefixCount, hit: boolean): void {
    if (this.#metrics.cells[Cell.Detail] === 0) return
    const { source, keyStart, keyLength } = this.frame
    this.#prefixes.note(what, hit, source.u8, keyStart, keyLength)
  }

  #get(): void {
    const hit = this.#table.read(this.#useKey(), this.#plainRead, this.#values)
    if (!hit) this.#miss()
    this.#note(PrefixCount.Get, hit)
  }

  #getAndTouch(): void {
    const { frame } = this
    const options = this.#touchRead
    options.ttlMs = ttlMs(frame.u32(0), Date.now())
    const reader = frame.shape.command === Opcode.Touch ? this.#touched : this.#values
    const hit = this.#table.read(this.#useKey(), options, reader)
    if (!hit) this.#miss()
    this.#note(PrefixCount.Get, hit)
  }

  /** A response with the key has no text: the key is all of its body. */
  #miss(): void {
    const { frame } = this
    const { quiet, withKey } = frame.shape
    if (quiet) return
    if (!withKey) {
      binary.writeStatus(this.#out, frame, BinaryStatus.NotFound)
      return
    }
    binary.writeHeader(this.#out, frame, BinaryStatus.NotFound, 0, frame.keyLength, frame.keyLength)
    this.#out.copy(frame.source, frame.keyStart, frame.keyLength)
  }

  /** What went well is not told by a quiet command, and what did not is. */
  #tell(status: binary.BinaryStatus): void {
    if (status !== BinaryStatus.Ok || !this.frame.shape.quiet) binary.writeStatus(this.#out, this.frame, status)
  }

  #store(input: Bytes): void {
    const { frame } = this
    const options = this.#storing()
    this.#note(PrefixCount.Set, false)
    const reader = frame.shape.quiet ? undefined : this.#stored
    const outcome = this.#table.write(this.#useKey(), input, frame.valueStart, frame.valueLength, options, reader)
    if (outcome !== Outcome.Done) this.#tell(refusedStore(frame.shape.command, outcome))
  }

  #storing() {
    const { frame } = this
    const options = this.#write
    const mode = MODES[frame.shape.command]
    const extends_ = mode === WriteMode.Append || mode === WriteMode.Prepend
    const exptime = extends_ ? 0 : frame.u32(EXPTIME_AT)
    options.flags = extends_ ? 0 : frame.u32(0)
    options.ttlMs = exptime === 0 ? 0 : ttlMs(exptime, Date.now())
    options.compareCas = frame.cas
    // With a token to compare, adding and replacing are what setting is.
    options.mode = options.compareCas === undefined || extends_ ? mode : WriteMode.Set
    return options
  }

  /** A value that will not be read because it is too large: a failed set leaves no old value behind. */
  refuseTooLarge(): void {
    try {
      this.#table.refuseTooLarge(this.#useKey(), this.#storing(), this.frame.valueLength)
      this.#tell(BinaryStatus.TooLarge)
    } catch (error) {
      this.fail(error)
    }
  }

  #delete(): void {
    const options = this.#remove
    options.compareCas = this.frame.cas
    this.#note(PrefixCount.Delete, false)
    this.#tell(STATUSES[this.#table.remove(this.#useKey(), options, undefined, 'delete')])
  }

  #count(): void {
    const { frame } = this
    const options = this.#arithmetic
    const exptime = frame.u32(COUNT_EXPTIME_AT)
    options.decrement = frame.shape.command === Opcode.Decrement
    options.delta = frame.u64(0)
    options.compareCas = frame.cas
    options.vivify = exptime !== NO_INITIAL
    options.vivifyTtlMs = options.vivify ? ttlMs(exptime, Date.now()) : 0
    options.initial = frame.u64(INITIAL_AT)
    const reader = frame.shape.quiet ? undefined : this.#numbers
    const outcome = this.#table.arithmetic(this.#useKey(), options, reader)
    if (outcome !== Outcome.Done) this.#tell(STATUSES[outcome])
  }
}

/** What is not stored is there already, or is not, as the command has it; and what would grow too large is not stored. */
function refusedStore(command: binary.Opcode, outcome: Outcome): binary.BinaryStatus {
  const stays = outcome === Outcome.NotStored
  if (stays && command === Opcode.Add) return BinaryStatus.Exists
  if (stays && command === Opcode.Replace) return BinaryStatus.NotFound
  const grows = command === Opcode.Append || command === Opcode.Prepend
  return outcome === Outcome.TooLarge && grows ? BinaryStatus.NotStored : STATUSES[outcome]
}
