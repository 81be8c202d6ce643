/**
 * Until when a lock may be believed in, written by one thread and read by another, which may have been blocked meanwhile and
 * must learn the truth without any message.
 *
 * The end is told by two clocks that all threads have in common, and what is left is the lesser by the two. They are
 * written one after the other, without a lock. Who reads in between has one that is old and one that is new, and of these
 * takes the lesser: less than what is true for a later end, and not more than what was true just before for an earlier one.
 */
import { systemTime, type TimeSources } from '../clock.js'

const CELLS = 3
const MONOTONIC_US = 0
const WALL_US = 1
/** 0 or 1. */
const SUSPECT = 2

export class BeliefCells {
  readonly buffer: SharedArrayBuffer
  readonly #cells: BigInt64Array
  readonly #sources: TimeSources

  constructor(
    buffer = new SharedArrayBuffer(CELLS * BigInt64Array.BYTES_PER_ELEMENT),
    sources: TimeSources = systemTime,
  ) {
    this.buffer = buffer
    this.#cells = new BigInt64Array(buffer)
    this.#sources = sources
  }

  write(leftMs: number, suspect: boolean): void {
    const { monotonicMs, wallMs } = this.#sources
    Atomics.store(this.#cells, MONOTONIC_US, microseconds(monotonicMs() + leftMs))
    Atomics.store(this.#cells, WALL_US, microseconds(wallMs() + leftMs))
    Atomics.store(this.#cells, SUSPECT, suspect ? 1n : 0n)
  }

  /** Milliseconds; less than 0 for what is over. */
  leftMs(): number {
    const { monotonicMs, wallMs } = this.#sources
    const monotonicLeft = this.#read(MONOTONIC_US) - monotonicMs()
    return Math.min(monotonicLeft, this.#read(WALL_US) - wallMs())
  }

  isSuspect(): boolean {
    return Atomics.load(this.#cells, SUSPECT) === 1n
  }

  #read(cell: number): number {
    return Number(Atomics.load(this.#cells, cell)) / 1000
  }
}

function microseconds(ms: number): bigint {
  return BigInt(Math.floor(ms * 1000))
}
