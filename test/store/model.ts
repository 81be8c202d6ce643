/** The table as a plain map: what every operation must answer and leave behind. Its own time, no memory limit. */
import {
  type ArithmeticOptions,
  Outcome,
  type ReadOptions,
  type RemoveOptions,
  WriteMode,
  type WriteOptions,
} from 'latchkey/store'
import type { VirtualClock } from './virtual-clock.js'

export interface ModelItem {
  value: Buffer
  flags: number
  /** On the clock; 0 for never. */
  expiresAtMs: number
  /** As the table gave it; undefined until it has been looked up. */
  cas: bigint | undefined
  stale: boolean
  tokenSent: boolean
  fetched: boolean
}

/** What a reader is shown. */
export interface Shown {
  value: string
  flags: number
  ttlMs: number
  /** After a touch. */
  ttlBeforeMs?: number
  fetched: boolean
  stale: boolean
  won: boolean
  wonBefore: boolean
}

const U64 = 2n ** 64n

/** Bytes of a record without optional fields, as layout.ts draws it. */
function recordBytes(key: string, valueLength: number): number {
  const words = 4 + ((key.length + 3) >> 2) + ((valueLength + 3) >> 2)
  return ((words + 1) >> 1) * 8
}

/** What C's strtoull makes of it, as memcached calls it. */
function numberIn(text: string): bigint | undefined {
  const found = /^[\t-\r ]*([-+]?)(\d+)(?![^\t-\r \0])/.exec(text)
  if (found === null || BigInt(found[2]!) >= U64) return undefined
  const number = BigInt.asUintN(64, BigInt(found[2]!) * (found[1] === '-' ? -1n : 1n))
  return number >= U64 / 2n && text.split('\0')[0]!.includes('-') ? undefined : number
}

export class Model {
  readonly items = new Map<string, ModelItem>()
  /** The greatest accepted, by key: they live for longer than any run. */
  readonly #fences = new Map<string, bigint>()
  readonly #clock: VirtualClock
  readonly #itemMax: number
  #flushAtMs = 0

  constructor(clock: VirtualClock, itemMax: number) {
    this.#clock = clock
    this.#itemMax = itemMax
  }

  /** The item that is there now. */
  live(key: string): ModelItem | undefined {
    const nowMs = this.#clock.now()
    if (this.#flushAtMs !== 0 && nowMs >= this.#flushAtMs) {
      this.#flushAtMs = 0
      this.#empty()
    }
    const item = this.items.get(key)
    if (item === undefined || item.expiresAtMs === 0 || item.expiresAtMs > nowMs) return item
    this.items.delete(key)
    return undefined
  }

  read(key: string, options: ReadOptions): Shown | undefined {
    let item = this.live(key)
    if (item === undefined) {
      if (!options.vivify) return undefined
      item = this.#put(key, Buffer.alloc(0), 0, this.#expiry(options.vivifyTtlMs), options.newCas)
      const shown = { ...this.#show(item), won: true }
      Object.assign(item, { tokenSent: true, fetched: !options.noBump })
      if (options.touch) shown.ttlBeforeMs = shown.ttlMs
      return shown
    }
    const ttlBeforeMs = this.#show(item).ttlMs
    if (options.touch) item.expiresAtMs = this.#expiry(options.ttlMs)
    const shown = this.#show(item)
    if (options.touch) shown.ttlBeforeMs = ttlBeforeMs
    const judgedMs = options.touch && options.recacheFirst ? ttlBeforeMs : shown.ttlMs
    const runsOut = options.recache && judgedMs !== -1 && judgedMs < options.recacheMs
    shown.won = !item.tokenSent && options.mayWin && (item.stale || runsOut)
    if (shown.won) item.tokenSent = true
    if (!options.peek && !options.noBump) item.fetched = true
    return shown
  }

  write(key: string, value: Buffer, options: WriteOptions): { outcome: Outcome; shown?: Shown } {
    const item = this.live(key)
    const { mode, compareCas } = options
    const extends_ = mode === WriteMode.Append || mode === WriteMode.Prepend
    const whole = extends_ && item !== undefined ? item.value.length + value.length : value.length
    if (recordBytes(key, value.length) > this.#itemMax) {
      const pinned = key.startsWith('latchkey:lock:')
      if (mode === WriteMode.Set && compareCas === undefined && options.fence === undefined && !pinned)
        this.items.delete(key)
      return { outcome: Outcome.TooLarge }
    }
    if (this.#isOutdated(key, options.fence)) return { outcome: Outcome.Exists }
    if (item === undefined) {
      if (extends_ && !options.vivify) return { outcome: Outcome.NotStored }
      if (compareCas !== undefined && !extends_ && mode !== WriteMode.Add) return { outcome: Outcome.NotFound }
      if (mode === WriteMode.Replace) return { outcome: Outcome.NotStored }
      this.#accept(key, options.fence)
      const ttlMs = extends_ ? options.vivifyTtlMs : options.ttlMs
      return this.#stored(this.#put(key, value, options.flags, this.#expiry(ttlMs), options.newCas))
    }
    if (mode === WriteMode.Add) return { outcome: Outcome.NotStored }
    const older = compareCas !== undefined && compareCas !== item.cas
    if (older && (extends_ || !options.invalidate || compareCas > item.cas!)) return { outcome: Outcome.Exists }
    if (extends_) {
      if (recordBytes(key, whole) > this.#itemMax) return { outcome: Outcome.TooLarge }
      this.#accept(key, options.fence)
      const parts = mode === WriteMode.Append ? [item.value, value] : [value, item.value]
      return this.#stored(this.#put(key, Buffer.concat(parts), item.flags, item.expiresAtMs, options.newCas))
    }
    this.#accept(key, options.fence)
    const expiresAtMs = older ? item.expiresAtMs : this.#expiry(options.ttlMs)
    const { tokenSent } = item
    const fresh = this.#put(key, value, options.flags, expiresAtMs, options.newCas)
    fresh.stale = older
    fresh.tokenSent = older && tokenSent
    return this.#stored(fresh)
  }

  remove(key: string, options: RemoveOptions): Outcome {
    const item = this.live(key)
    if (this.#isOutdated(key, options.fence)) return Outcome.Exists
    const refused = item !== undefined && options.compareCas !== undefined && options.compareCas !== item.cas
    if (refused) return Outcome.Exists
    this.#accept(key, options.fence)
    if (item === undefined) return Outcome.NotFound
    if (!options.dropValue && !options.invalidate) this.items.delete(key)
    if (options.dropValue) Object.assign(item, { value: Buffer.alloc(0), flags: 0 })
    if (options.invalidate) {
      Object.assign(item, { stale: true, tokenSent: false })
      if (options.touch) item.expiresAtMs = this.#expiry(options.ttlMs)
    }
    item.cas = options.newCas
    return Outcome.Done
  }

  arithmetic(key: string, options: ArithmeticOptions): { outcome: Outcome; shown?: Shown } {
    const item = this.live(key)
    if (item === undefined) {
      if (!options.vivify) return { outcome: Outcome.NotFound }
      const value = Buffer.from(String(options.initial))
      return this.#stored(this.#put(key, value, 0, this.#expiry(options.vivifyTtlMs), options.newCas))
    }
    if (item.value.length === 0) return { outcome: Outcome.NonNumeric }
    if (options.compareCas !== undefined && options.compareCas !== item.cas) return { outcome: Outcome.Exists }
    const text = item.value.toString('latin1')
    const before = numberIn(text)
    if (before === undefined) return { outcome: Outcome.NonNumeric }
    const down = before < options.delta ? 0n : before - options.delta
    const after = options.decrement ? down : (before + options.delta) % U64
    item.value = Buffer.from(String(after).padEnd(text.length))
    item.cas = options.newCas
    if (String(after).length > text.length) Object.assign(item, { stale: false, tokenSent: false, fetched: false })
    if (options.touch) item.expiresAtMs = this.#expiry(options.ttlMs)
    return this.#stored(item)
  }

  flush(delayMs: number): void {
    this.live('')
    this.#flushAtMs = delayMs > 0 ? this.#clock.now() + delayMs : 0
    if (delayMs <= 0) this.#empty()
  }

  #empty(): void {
    for (const key of this.items.keys()) if (!key.startsWith('latchkey:lock:')) this.items.delete(key)
  }

  /** Items and fence registers. */
  get size(): number {
    return this.items.size + this.#fences.size
  }

  #isOutdated(key: string, fence: bigint | undefined): boolean {
    return fence !== undefined && fence < (this.#fences.get(key) ?? 0n)
  }

  #accept(key: string, fence: bigint | undefined): void {
    if (fence !== undefined) this.#fences.set(key, fence)
  }

  #put(key: string, value: Buffer, flags: number, expiresAtMs: number, cas: bigint | undefined): ModelItem {
    const item = { value: Buffer.from(value), flags, expiresAtMs, cas, stale: false, tokenSent: false, fetched: false }
    this.items.set(key, item)
    return item
  }

  #stored(item: ModelItem): { outcome: Outcome; shown: Shown } {
    return { outcome: Outcome.Done, shown: this.#show(item) }
  }

  #show(item: ModelItem): Shown {
    const { value, flags, fetched, stale, tokenSent, expiresAtMs } = item
    const ttlMs = expiresAtMs === 0 ? -1 : expiresAtMs - this.#clock.now()
    return { value: value.toString('latin1'), flags, ttlMs, fetched, stale, won: false, wonBefore: tokenSent }
  }

  #expiry(ttlMs: number): number {
    if (ttlMs === 0) return 0
    return ttlMs < 0 ? this.#clock.now() : this.#clock.now() + Math.ceil(ttlMs)
  }
}
