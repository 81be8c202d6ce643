/**
 * The one place where protocol meets store: a parsed request becomes one operation on the table, and what comes of
 * it becomes a reply. Option objects and readers are filled in again and again, so that a request makes no garbage.
 */
import {
  Command,
  Flag,
  type MetaFlags,
  type Output,
  parseRequest,
  Request,
  reply,
  type Text,
  ttlMs,
  writeEchoFlags,
  writeReturnFlags,
} from '../protocol/index.js'
import {
  arithmeticOptions,
  type Bytes,
  type Key,
  Outcome,
  type ReadOptions,
  readOptions,
  removeOptions,
  StoreMemoryError,
  type Table,
  type WaitEnd,
  WriteMode,
  writeOptions,
} from '../store/index.js'
import { Cell, Metric, type Metrics } from './metrics.js'
import { type Client, Parked } from './parked.js'
import { PrefixCount, type PrefixCounts } from './prefixes.js'
import { DebugReader, MetaNumberReader, MetaReader, MetaStoredReader, NumberReader, ValueReader } from './readers.js'
import { oneLine, refusalOf } from './refusals.js'
import type { ItemTable } from './watched-table.js'

/** By command number. */
const MODES: WriteMode[] = []
MODES[Command.Set] = WriteMode.Set
MODES[Command.Add] = WriteMode.Add
MODES[Command.Replace] = WriteMode.Replace
MODES[Command.Append] = WriteMode.Append
MODES[Command.Prepend] = WriteMode.Prepend
MODES[Command.Cas] = WriteMode.Set

/** What `stats detail` counts, by command number. */
const PREFIX_COUNTS: (PrefixCount | undefined)[] = []
for (const command of [Command.Get, Command.Gets, Command.Gat, Command.Gats, Command.MetaGet])
  PREFIX_COUNTS[command] = PrefixCount.Get
for (const command of [Command.Set, Command.Add, Command.Replace, Command.Append, Command.Prepend, Command.Cas])
  PREFIX_COUNTS[command] = PrefixCount.Set
PREFIX_COUNTS[Command.MetaSet] = PrefixCount.Set
PREFIX_COUNTS[Command.Delete] = PrefixCount.Delete
PREFIX_COUNTS[Command.MetaDelete] = PrefixCount.Delete

const CLASSIC_OUTCOMES: Text[] = [
  reply.STORED,
  reply.NOT_STORED,
  reply.EXISTS,
  reply.NOT_FOUND,
  reply.TOO_LARGE,
  reply.OUT_OF_MEMORY_STORING,
  reply.NON_NUMERIC,
]

/** Of adds that were to wait. */
const ERROR_OUTCOMES: Text[] = []
ERROR_OUTCOMES[Outcome.TooLongToWait] = reply.TOO_LONG_TO_WAIT
ERROR_OUTCOMES[Outcome.TooManyWaiters] = reply.TOO_MANY_WAITERS

/** `undefined` where the answer is an error line. */
const META_OUTCOMES: (Text | undefined)[] = [
  reply.META_DONE,
  reply.META_NOT_STORED,
  reply.META_EXISTS,
  reply.META_NOT_FOUND,
]

export class Executor {
  readonly request = new Request()
  readonly #out: Output
  #table: ItemTable
  readonly #metrics: Metrics
  readonly #key: Key
  readonly #plainRead = readOptions()
  readonly #metaPlainRead = readOptions()
  readonly #read = readOptions()
  readonly #write = writeOptions()
  readonly #remove = removeOptions()
  readonly #arithmetic = arithmeticOptions()
  readonly #values: ValueReader
  readonly #numbers: NumberReader
  readonly #metaItem: MetaReader
  readonly #metaNumber: MetaNumberReader
  readonly #metaStored: MetaStoredReader
  readonly #debug: DebugReader
  readonly #prefixes: PrefixCounts
  /** Whose requests are being answered. */
  client: Client | undefined
  /** Set when the request that was run waits: the caller takes it, and answers nothing else until it is over. */
  parked: Parked | undefined

  constructor(table: Table, out: Output, metrics: Metrics, prefixes: PrefixCounts) {
    this.#table = table
    this.#out = out
    this.#metrics = metrics
    this.#prefixes = prefixes
    this.#key = table.newKey()
    this.#metaPlainRead.mayWin = true
    this.#values = new ValueReader(out, this.request)
    this.#numbers = new NumberReader(out)
    this.#metaItem = new MetaReader(out, this.request)
    this.#metaNumber = new MetaNumberReader(out, this.request)
    this.#metaStored = new MetaStoredReader(out, this.request)
    this.#debug = new DebugReader(out, this.request)
  }

  /** The table as it is, or one that tells what is done to it. */
  use(table: ItemTable): void {
    this.#table = table
  }

  /** Answers a request that names one key. `input` holds its data block, if it has one, from `request.next` on. */
  run(input: Bytes): void {
    const at = this.#out.length
    try {
      this.#dispatch(input)
      // A hit of a meta get begins with its first letter: `VA` and `HD`, not `EN` and not silence.
      if (this.#detailed()) this.#notePrefix(this.#out.length > at && this.#out.u8[at] !== LETTER_E)
      if (this.request.noreply) this.#out.length = at
    } catch (error) {
      this.#out.length = at
      this.fail(error)
    }
  }

  /** Trouble inside is the server's error, told to the client, and never the end of the server. */
  fail(error: unknown): void {
    const refusal = refusalOf(error)
    if (refusal !== undefined) {
      const kind = refusal.byClient ? 'CLIENT_ERROR' : 'SERVER_ERROR'
      if (!this.request.noreply) this.#out.string(`${kind} ${refusal.why}\r\n`)
      return
    }
    this.#metrics.add(Metric.InternalErrors, 1)
    const message = error instanceof Error ? error.message : String(error)
    this.#out.string(`SERVER_ERROR ${oneLine(message)}\r\n`)
  }

  #dispatch(input: Bytes): void {
    const { request } = this
    switch (request.command) {
      case Command.Set:
      case Command.Add:
      case Command.Replace:
      case Command.Append:
      case Command.Prepend:
      case Command.Cas:
        this.#store(input)
        break
      case Command.MetaGet:
        this.#metaGet()
        break
      case Command.MetaSet:
        this.#metaSet(input)
        break
      case Command.MetaDelete:
        this.#metaDelete()
        break
      case Command.MetaArithmetic:
        this.#metaArithmetic()
        break
      case Command.MetaDebug:
        this.#metaDebug()
        break
      case Command.Delete:
        this.#delete()
        break
      case Command.Touch:
        this.#touch()
        break
      default:
        this.#count()
    }
  }

  #useKey(): Key {
    const { request } = this
    this.#key.setBytes(request.keySource, request.keyStart, request.keyLength)
    return this.#key
  }

  /** One key of `get`, `gets`, `gat` or `gats`: its value, or nothing at all. */
  value(): void {
    const { command, exptime } = this.request
    const touch = command === Command.Gat || command === Command.Gats
    this.#values.withCas = command === Command.Gets || command === Command.Gats
    if (!touch) {
      this.#noteHit(this.#table.read(this.#useKey(), this.#plainRead, this.#values))
      return
    }
    this.#touching(ttlMs(exptime, Date.now()))
    this.#noteHit(this.#table.read(this.#useKey(), this.#read, this.#values))
  }

  #detailed(): boolean {
    return this.#metrics.cells[Cell.Detail] !== 0
  }

  #noteHit(hit: boolean): void {
    if (this.#detailed()) this.#notePrefix(hit)
  }

  #notePrefix(hit: boolean): void {
    const { command, keySource, keyStart, keyLength } = this.request
    const what = PREFIX_COUNTS[command]
    if (what !== undefined) this.#prefixes.note(what, hit, keySource.u8, keyStart, keyLength)
  }

  #touching(ms: number): void {
    const options = this.#read
    options.touch = true
    options.ttlMs = ms
    options.vivify = false
    options.mayWin = false
    options.recache = false
    options.noBump = false
    options.peek = false
  }

  #store(input: Bytes): void {
    const { request } = this
    const options = this.#write
    options.mode = MODES[request.command]
    options.flags = request.flags
    options.ttlMs = request.exptime === 0 ? 0 : ttlMs(request.exptime, Date.now())
    options.compareCas = request.command === Command.Cas ? request.cas : undefined
    options.newCas = undefined
    options.invalidate = false
    options.fence = undefined
    options.vivify = false
    options.bindTo = 0
    const outcome = this.#table.write(this.#useKey(), input, request.next, request.valueLength, options)
    this.#out.text(CLASSIC_OUTCOMES[outcome])
  }

  /** A value that will not be read because it is too large: a failed set leaves no old value behind. */
  refuseTooLarge(): void {
    const { request } = this
    const isMeta = request.command === Command.MetaSet
    const options = this.#write
    options.mode = isMeta ? metaMode(request.meta.mode) : MODES[request.command]
    options.compareCas = isMeta ? request.meta.compareCas : request.command === Command.Cas ? request.cas : undefined
    options.fence = isMeta ? request.meta.fence : undefined
    try {
      this.#table.refuseTooLarge(this.#useKey(), options, request.valueLength)
      if (!request.noreply) this.#out.text(reply.TOO_LARGE)
    } catch (error) {
      this.fail(error)
    }
  }

  #delete(): void {
    this.#resetRemove()
    const outcome = this.#table.remove(this.#useKey(), this.#remove, undefined, 'delete')
    this.#out.text(outcome === Outcome.Done ? reply.DELETED : reply.NOT_FOUND)
  }

  #resetRemove(): void {
    const options = this.#remove
    options.compareCas = undefined
    options.newCas = undefined
    options.invalidate = false
    options.touch = false
    options.dropValue = false
    options.fence = undefined
  }

  #touch(): void {
    this.#touching(ttlMs(this.request.exptime, Date.now()))
    const found = this.#table.read(this.#useKey(), this.#read)
    this.#out.text(found ? reply.TOUCHED : reply.NOT_FOUND)
  }

  #count(): void {
    const { request } = this
    const options = this.#arithmetic
    options.decrement = request.command === Command.Decr
    options.delta = request.delta
    options.compareCas = undefined
    options.newCas = undefined
    options.vivify = false
    options.touch = false
    const outcome = this.#table.arithmetic(this.#useKey(), options, this.#numbers)
    if (outcome === Outcome.OutOfMemory) this.#out.text(reply.OUT_OF_MEMORY)
    else if (outcome !== Outcome.Done) this.#out.text(CLASSIC_OUTCOMES[outcome])
  }

  #metaGet(): void {
    const { meta } = this.request
    const options = meta.asksOnly ? this.#metaPlainRead : this.#metaRead()
    options.noBump = meta.has(Flag.u)
    this.#metaItem.touched = options.touch
    if (this.#table.read(this.#useKey(), options, this.#metaItem)) return
    if (meta.has(Flag.q)) return
    this.#metaLine(reply.META_MISS)
  }

  #metaRead(): ReadOptions {
    const { meta } = this.request
    const options = this.#read
    options.touch = meta.givesTtl
    options.vivify = meta.has(Flag.N)
    options.mayWin = true
    options.recache = meta.has(Flag.R)
    options.peek = false
    options.newCas = meta.newCas
    if (options.touch || options.vivify || options.recache) this.#metaTimes()
    return options
  }

  /** Flags count in the order sent: `R` tells of the life before a `T` or `p` behind it, and of `N` and these the last wins. */
  #metaTimes(): void {
    const { meta } = this.request
    const options = this.#read
    const now = Date.now()
    options.ttlMs = metaTtlMs(meta, now)
    options.recacheMs = Math.max(0, ttlMs(meta.recacheTtl, now))
    options.recacheFirst = options.touch && options.recache && this.#precedes(Flag.R, this.#touchFlag)
    options.vivifyTtlMs = this.#vivifyTtlMs(now)
  }

  get #touchFlag(): number {
    return this.request.meta.ttlMs === undefined ? Flag.T : Flag.p
  }

  /** The life of an item that is made: of `N`, and of `T` or `p`, the last. */
  #vivifyTtlMs(nowMs: number): number {
    const { meta } = this.request
    const touchedLast = meta.givesTtl && meta.has(Flag.N) && this.#precedes(Flag.N, this.#touchFlag)
    return touchedLast ? metaTtlMs(meta, nowMs) : ttlMs(meta.vivifyTtl, nowMs)
  }

  /** Which of two flags that were sent came first. */
  #precedes(first: number, second: number): boolean {
    const { tokens, source } = this.request
    for (let i = 2; i < tokens.count; i++) {
      const letter = source.u8[tokens.start[i]]
      if (letter === first || letter === second) return letter === first
    }
    return false
  }

  #metaLine(status: Text): void {
    this.#out.text(status)
    writeEchoFlags(this.#out, this.request)
    this.#out.crlf()
  }

  #metaSet(input: Bytes): void {
    const { request } = this
    const { meta } = request
    const options = this.#write
    const now = meta.has(Flag.T) || meta.has(Flag.N) ? Date.now() : 0
    options.mode = metaMode(meta.mode)
    options.flags = meta.clientFlags
    options.ttlMs = metaTtlMs(meta, now)
    options.compareCas = options.mode === WriteMode.Add || isNoToken(meta) ? undefined : meta.compareCas
    // With a token to compare, replacing is what any store does: a missing item is not found.
    if (meta.compareCas !== undefined && options.mode === WriteMode.Replace) options.mode = WriteMode.Set
    options.newCas = meta.newCas
    options.invalidate = meta.has(Flag.I)
    options.fence = meta.fence
    options.vivify = meta.has(Flag.N)
    if (options.vivify) options.vivifyTtlMs = ttlMs(meta.vivifyTtl, now)
    const at = this.#out.length
    const key = this.#useKey()
    // With no flag there is nothing to tell of the item, and no need to look at it.
    const reader = request.tokens.count > 3 ? this.#metaStored : undefined
    if (meta.has(Flag.w) || meta.has(Flag.z)) {
      this.#metaClaim(key, input)
      return
    }
    options.bindTo = 0
    const outcome = this.#table.write(key, input, request.next, request.valueLength, options, reader)
    if (outcome !== Outcome.Done) this.#metaOutcome(outcome)
    else if (reader === undefined) this.#out.text(reply.META_STORED)
    else if (meta.has(Flag.q)) this.#out.length = at
  }

  /** A store that may wait, or is bound to the connection. */
  #metaClaim(key: Key, input: Bytes): void {
    const { meta } = this.request
    const client = this.client as Client
    const binds = meta.has(Flag.z)
    const binding = binds ? client.bindings.reserve(key) : 0
    if (binds && binding === 0) {
      this.#out.text(reply.TOO_MANY_BOUND)
      return
    }
    let kept = false
    try {
      kept = this.#storeOrPark(key, input, client, binding)
    } finally {
      if (binding !== 0 && !kept) client.bindings.drop(binding)
    }
  }

  /** True when the binding is in use: its item is stored, or waits. */
  #storeOrPark(key: Key, input: Bytes, client: Client, binding: number): boolean {
    const { request } = this
    const { meta, next, valueLength } = request
    const at = this.#out.length
    const waitMs = meta.has(Flag.w) && !client.hasEnded ? meta.waitMs : 0
    const parked = new Parked(request, binding)
    const settle = (end: WaitEnd) => client.waited(parked, end)
    this.#write.bindTo = binding
    const began = this.#table.addOrWait(key, input, next, valueLength, this.#write, waitMs, settle, this.#metaStored)
    if (typeof began === 'object') {
      parked.wait = began
      this.parked = parked
      return true
    }
    const stored = began === Outcome.Done
    if (!stored) this.#metaOutcome(began)
    else if (meta.has(Flag.q)) this.#out.length = at
    if (stored && binding !== 0) client.bindings.keep(binding)
    return stored
  }

  /** Answers a request whose wait is over. */
  finish({ line }: Parked, { status, cas, waitedMs, error }: WaitEnd): void {
    const { request } = this
    parseRequest(request, line, 0, line.u8.length)
    request.waitedMs = waitedMs
    if (status === 'granted') {
      if (!request.meta.has(Flag.q)) this.#metaGranted(cas)
    } else if (status === 'timed-out') this.#metaLine(reply.META_NOT_STORED)
    else if (error === undefined) this.#out.text(reply.SHUTTING_DOWN)
    else if (error instanceof StoreMemoryError) this.#out.text(reply.OUT_OF_MEMORY_STORING)
    else this.fail(error)
  }

  #metaGranted(cas: bigint): void {
    const { meta, valueLength } = this.request
    const ttlMs = metaTtlMs(meta, Date.now()) || -1
    const item = { cas, valueLength, ttlMs, ttlBeforeMs: ttlMs, flags: meta.clientFlags, ...FRESH }
    this.#out.text(reply.META_DONE)
    writeReturnFlags(this.#out, this.request, item)
    this.#out.crlf()
  }

  #metaOutcome(outcome: Outcome): void {
    const status = META_OUTCOMES[outcome]
    if (status === undefined) this.#out.text(ERROR_OUTCOMES[outcome] ?? CLASSIC_OUTCOMES[outcome])
    else this.#metaLine(status)
  }

  #metaDelete(): void {
    const { meta } = this.request
    const options = this.#remove
    options.compareCas = meta.compareCas
    options.newCas = meta.newCas
    options.invalidate = meta.has(Flag.I)
    options.fence = meta.fence
    options.dropValue = meta.has(Flag.x)
    options.touch = meta.has(Flag.T)
    options.ttlMs = options.touch ? ttlMs(meta.ttl, Date.now()) : 0
    const outcome = this.#table.remove(this.#useKey(), options, undefined, 'md')
    if (outcome === Outcome.Done && meta.has(Flag.q)) return
    this.#metaOutcome(outcome)
  }

  #metaArithmetic(): void {
    const { meta } = this.request
    const options = this.#arithmetic
    const now = Date.now()
    options.decrement = meta.mode === MODE_DECREMENT || meta.mode === MODE_MINUS
    options.delta = meta.has(Flag.D) ? meta.delta : 1n
    // Here, and of append and prepend, a token of 0 is none.
    options.compareCas = meta.compareCas === 0n ? undefined : meta.compareCas
    options.newCas = meta.newCas
    options.vivify = meta.has(Flag.N)
    options.initial = meta.has(Flag.J) ? meta.initial : 0n
    options.touch = meta.givesTtl
    options.ttlMs = options.touch ? metaTtlMs(meta, now) : 0
    options.vivifyTtlMs = options.vivify ? this.#vivifyTtlMs(now) : 0
    this.#metaNumber.touched = options.touch
    const at = this.#out.length
    const outcome = this.#table.arithmetic(this.#useKey(), options, this.#metaNumber)
    if (outcome === Outcome.OutOfMemory) this.#out.text(reply.OUT_OF_MEMORY)
    else if (outcome !== Outcome.Done) this.#metaOutcome(outcome)
    else if (meta.has(Flag.q)) this.#out.length = at
  }

  #metaDebug(): void {
    this.#metrics.add(Metric.CmdMeta, 1)
    const options = this.#read
    options.touch = false
    options.vivify = false
    options.recache = false
    options.peek = true
    if (!this.#table.read(this.#useKey(), options, this.#debug)) this.#out.string('EN\r\n')
  }
}

/** What is told of an item that has just been made. */
const FRESH = { idleSeconds: 0, fetched: false, waiters: 0 }

const LETTER_A = 65
const LETTER_E = 69
const LETTER_P = 80
const MODE_DECREMENT = 68
const MODE_MINUS = 45

/** Of `T`, or of `p` in its place. */
function metaTtlMs({ ttl, ttlMs: exact }: MetaFlags, nowMs: number): number {
  return exact ?? ttlMs(ttl, nowMs)
}

/** Of `ms`: to append and prepend a token of 0 is none. */
function isNoToken({ compareCas, mode }: MetaFlags): boolean {
  return compareCas === 0n && (mode === LETTER_A || mode === LETTER_P)
}

function metaMode(mode: number): WriteMode {
  switch (mode) {
    case 69:
      return WriteMode.Add
    case 65:
      return WriteMode.Append
    case 80:
      return WriteMode.Prepend
    case 82:
      return WriteMode.Replace
    default:
      return WriteMode.Set
  }
}
