/**
 * What each lane was told about its own keys, which nobody else writes: so it is known of each what must be there. In shared
 * memory: what a thread was told outlives it.
 *
 * A change is noted as pending, done, and then noted as told. Who dies between leaves a change that may have been done or not.
 */
import { fault, seedsOf } from '../../store/frames.js'
import { LANES } from './job.js'

export const OWN_KEYS = 150
/** The last keys of a lane hold numbers. */
const NUMBERS = 8
const ENTRY_CELLS = 10
/** An item as told, one that is pending, how often the key was evicted, as those who evict count it, and numbers given. */
const Entry = { Told: 0, Pending: 4, Evictions: 8, Numbers: 9 } as const
/** `Evictions` is the count as it was before the change that made the item. `Kind` is 0 where nothing is noted. */
const Note = { Newest: 0, Frames: 1, Evictions: 2, Kind: 3 } as const
const Kind = { Lasting: 1, MayEnd: 2 } as const

/** An item: the greatest number among its frames, and how many there are. Of a number, itself and 0. */
export interface Item {
  /** 0 when there is none. */
  readonly newest: number
  readonly frames: number
  /** It was given an end, and may be there or not. */
  readonly mayEnd: boolean
}
export const ABSENT: Item = { newest: 0, frames: 0, mayEnd: false }

export type Settled = 'as told' | 'done' | 'lost in place'

export class Ledger {
  readonly #cells: Int32Array

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new Int32Array(buffer)
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(LANES * OWN_KEYS * ENTRY_CELLS * 4)
  }

  keyOf(lane: number, own: number): string {
    return `own:${lane}:${own}`
  }

  isNumber(own: number): boolean {
    return own >= OWN_KEYS - NUMBERS
  }

  /** Evictions of the ledger's keys, of all lanes. */
  get evictions(): number {
    let sum = 0
    for (let at = Entry.Evictions; at < this.#cells.length; at += ENTRY_CELLS) sum += this.#cells[at]!
    return sum
  }

  /** Notes an eviction if the key is one of the ledger's. For whoever evicts, under the stripe's lock. */
  evicted(key: string): void {
    const [, lane, own] = /^own:(\d+):(\d+)$/.exec(key) ?? []
    if (own !== undefined) Atomics.add(this.#cells, this.#at(Number(lane), Number(own)) + Entry.Evictions, 1)
  }

  /** What its writer was last told. */
  told(lane: number, own: number): Item {
    return this.#item(this.#at(lane, own) + Entry.Told)
  }

  /** What there will be when the change that was begun is done; undefined when none was. */
  pending(lane: number, own: number): Item | undefined {
    const at = this.#at(lane, own) + Entry.Pending
    return this.#cells[at + Note.Kind] === 0 ? undefined : this.#item(at)
  }

  /** For a value of this key that no other has had. */
  nextNumber(lane: number, own: number): number {
    return Atomics.add(this.#cells, this.#at(lane, own) + Entry.Numbers, 1) + 1
  }

  /** A change to `next` begins. */
  begin(lane: number, own: number, next: Item): void {
    const at = this.#at(lane, own)
    this.#note(at + Entry.Pending, next, Atomics.load(this.#cells, at + Entry.Evictions))
  }

  /** The change that was begun was done, or not: `item` is there. */
  end(lane: number, own: number, item: Item): void {
    const at = this.#at(lane, own)
    this.#note(at + Entry.Told, item, this.#cells[at + Entry.Pending + Note.Evictions]!)
    this.#cells[at + Entry.Pending + Note.Kind] = 0
  }

  /** What is wrong with finding `value` where no change is pending; undefined when it is as it must be. */
  judge(lane: number, own: number, value: Uint8Array | undefined): string | undefined {
    const told = this.told(lane, own)
    if (value === undefined) return this.#mayBeGone(lane, own, told) ? undefined : `${this.keyOf(lane, own)} is lost`
    return this.#differs(lane, own, value, told)
  }

  /**
   * Finds out what became of a change that nobody was told of.
   * @returns what did, or what is wrong with it.
   */
  settle(lane: number, own: number, value: Uint8Array | undefined): { settled?: Settled; wrong?: string } {
    const told = this.told(lane, own)
    const pending = this.pending(lane, own) ?? told
    if (value === undefined) {
      const gone = this.#mayBeGone(lane, own, told) || this.#isEvicted(lane, own, Entry.Pending)
      this.end(lane, own, ABSENT)
      if (pending.newest === 0) return { settled: 'done' }
      return { settled: gone ? 'as told' : 'lost in place' }
    }
    const asTold = this.#differs(lane, own, value, told)
    const asDone = this.#differs(lane, own, value, pending)
    if (asTold !== undefined && asDone !== undefined) return { wrong: `${asTold}, and ${asDone}` }
    this.end(lane, own, asDone === undefined ? pending : told)
    return { settled: asDone === undefined ? 'done' : 'as told' }
  }

  #mayBeGone(lane: number, own: number, told: Item): boolean {
    return told.newest === 0 || told.mayEnd || this.#isEvicted(lane, own, Entry.Told)
  }

  #isEvicted(lane: number, own: number, note: number): boolean {
    const at = this.#at(lane, own)
    return Atomics.load(this.#cells, at + Entry.Evictions) !== this.#cells[at + note + Note.Evictions]
  }

  #differs(lane: number, own: number, value: Uint8Array, { newest, frames }: Item): string | undefined {
    const key = this.keyOf(lane, own)
    const seen = this.isNumber(own) ? numberIn(value) : framesIn(key, value)
    if (typeof seen === 'string') return seen
    if (seen.newest === newest && seen.frames === frames) return undefined
    return `${key} holds ${seen.newest} in ${seen.frames} frames, not ${newest} in ${frames}`
  }

  #at(lane: number, own: number): number {
    return (lane * OWN_KEYS + own) * ENTRY_CELLS
  }

  #item(at: number): Item {
    const [newest, frames, , kind] = this.#cells.subarray(at, at + 4)
    return { newest: newest!, frames: frames!, mayEnd: kind === Kind.MayEnd }
  }

  #note(at: number, { newest, frames, mayEnd }: Item, evictions: number): void {
    this.#cells[at + Note.Newest] = newest
    this.#cells[at + Note.Frames] = frames
    this.#cells[at + Note.Evictions] = evictions
    // Last, as it says that there is something.
    this.#cells[at + Note.Kind] = mayEnd ? Kind.MayEnd : Kind.Lasting
  }
}

type Seen = Pick<Item, 'newest' | 'frames'>

function framesIn(key: string, value: Uint8Array): Seen | string {
  const wrong = fault(key, value)
  if (wrong !== undefined) return wrong
  const seeds = seedsOf(value)
  return { newest: Math.max(...seeds), frames: seeds.length }
}

function numberIn(value: Uint8Array): Seen | string {
  const text = Buffer.from(value).toString('latin1').trim()
  return /^\d+$/.test(text) ? { newest: Number(text), frames: 0 } : `'${text.slice(0, 30)}' is no number`
}
